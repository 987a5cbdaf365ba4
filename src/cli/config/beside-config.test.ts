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
  ['source', 'cam=video:clip.mp4,fps=5', 'cam=video:/etc/t/clip.mp4,fps=5'],
  ['source', 'cam=video:/srv/clip.mp4', 'cam=video:/srv/clip.mp4'],
  ['source', 'cam=video:rtsp://cam/1', 'cam=video:rtsp://cam/1'],
  ['source', 'cam=video:/dev/video0', 'cam=video:/dev/video0'],
  ['source', 'cam=video:testsrc=size=64x48,fps=5,format=lavfi', 'cam=video:testsrc=size=64x48,fps=5,format=lavfi'],
  ['source', 'cam=video:', 'cam=video:'],
  ['sink', 'webhook:https://h/x,secret-file=key,batch=2', 'webhook:https://h/x,secret-file=/etc/t/key,batch=2'],
  ['sink', 'mqtt://me@h/x,secret-file=/run/key', 'mqtt://me@h/x,secret-file=/run/key'],
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
