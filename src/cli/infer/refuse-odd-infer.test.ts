import { expect, test } from 'vitest'
import type { InferFlags } from '../infer-command.ts'
import { type InferTarget, refuseOddInfer } from './refuse-odd-infer.ts'

const NONE: InferFlags = {
  ...{ name: 'shed', out: '.', policy: 'confluence', provider: 'cpu', timeout: '60' },
  ...{ shape: [], join: [], joinFile: [] }
}

const refusal = (target: InferTarget, flags: Partial<InferFlags>): string => {
  try {
    refuseOddInfer(target, { ...NONE, ...flags })
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test('flags that are of something else than what is asked are refused, with what they are of', () => {
  const file = 'is of an .onnx file that is brought along: leave it out, or give the file'
  expect(refusal('url', { provider: 'cuda' })).toBe(`--provider ${file}`)
  expect(refusal('name', { provider: 'cuda' })).toBe(`--provider ${file}`)
  expect(refusal('name', { shape: ['x=1'] })).toBe(`--shape ${file}`)
  expect(refusal('url', { join: ['-'] })).toBe('--join is of a cluster, and a URL names a server: keep one')
  expect(refusal('name', { tokenFile: 'token' })).toBe(
    '--token-file is of the server of a URL: leave it out, or give the URL'
  )
  expect(refusal('file', { providerOptions: 'p.yaml' })).toBe(
    '--provider-options is of another provider than cpu: add --provider auto, or its name'
  )
})

test('and those that are of it are taken', () => {
  expect(refusal('url', { tokenFile: 'token' })).toBe('')
  expect(refusal('name', { join: ['-'], state: 'here', clusterKey: 'key' })).toBe('')
  expect(refusal('file', { provider: 'cuda', providerOptions: 'p.yaml', shape: ['x=1'] })).toBe('')
})
