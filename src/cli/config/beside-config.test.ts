import { expect, test } from 'vitest'
import { besideConfig } from './beside-config.ts'

test.each([
  ['model', 'rec.onnx:ocr', '/etc/t/rec.onnx:ocr'],
  ['model', '/srv/rec.onnx:ocr', '/srv/rec.onnx:ocr'],
  ['state', './state', '/etc/t/state'],
  ['state', '../state', '/etc/t/../state'],
  ['source', 'cam=dir:images,model=ocr', 'cam=dir:/etc/t/images,model=ocr'],
  ['source', 'cam=watch:images', 'cam=watch:/etc/t/images'],
  ['source', 'cam=synthetic:5', 'cam=synthetic:5'],
  ['sink', 'out.jsonl,rotate=1MiB', '/etc/t/out.jsonl,rotate=1MiB'],
  ['sink', 'file:out.jsonl', '/etc/t/out.jsonl'],
  ['sink', '-', '-'],
  ['sink', '/dev/stdout', '/dev/stdout'],
  ['sink', 'stdout,sources=cam', 'stdout,sources=cam'],
  ['sink', 'mqtt://broker/topic', 'mqtt://broker/topic'],
  ['name', 'porch', 'porch']
])('%s "%s" is %s', (flag, text, expected) => {
  expect(besideConfig('/etc/t/node.yaml')(flag, text)).toBe(expected)
})
