import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { chain, save, x, y } from '../../testing/cut-everywhere.ts'
import { node } from '../../testing/onnx-builder.ts'
import { openModel } from '../onnx/open-model.ts'
import { ortWords } from './onnx-runtime.ts'

const run = promisify(execFile)
const MAIN = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url))

test('an error is one line, without where it arose in the source', () => {
  const place = '/onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:91'
  const where = `${place} onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, bool)`
  expect(ortWords(new Error(`Status Message: ${where} sizes differ. Input shape:{2,4}\n`))).toBe(
    'Status Message: sizes differ. Input shape:{2,4}'
  )
  expect(ortWords('Got invalid dimensions\n index: 0 Got: 3 Expected: 1\n Please fix')).toBe(
    'Got invalid dimensions index: 0 Got: 3 Expected: 1 Please fix'
  )
  expect(ortWords(new Error('tensorprotoutils.cc:1422 GetSize Out of bounds'))).toBe('Out of bounds')
})

test('what it refuses and what fails in a run comes as one line', async () => {
  const unknown = save({ nodes: [node('Frobnicate', ['x'], ['y'])], inputs: [x()], outputs: [y()] })
  await expect(openModel(unknown)).rejects.toThrow(/^[^\n]*Frobnicate[^\n]*$/)
  const opened = await openModel(save({ nodes: chain('Relu'), inputs: [x()], outputs: [y()] }))
  const wrong = { name: 'x', type: 'float32', dims: [3, 3], data: new Uint8Array(36) } as const
  await expect(opened.run([wrong])).rejects.toThrow(/^[^\n]*invalid dimensions[^\n]*Got: 3 Expected: 2[^\n]*$/)
  await opened.close()
})

test('the library logs nothing beside: one line of ours, exit 2', async () => {
  const file = save({ nodes: chain('Relu'), inputs: [x()], outputs: [y()], opset: 99 })
  const { code, stdout, stderr } = await run(process.execPath, [MAIN, 'inspect', file]).catch(error => error)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^tributary: [^\n]*: ONNX Runtime does not open it: [^\n]*pset 99[^\n]*\n$/)
  expect(stderr).not.toMatch(/onnxruntime::|E:onnxruntime/)
})
