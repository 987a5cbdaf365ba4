import { expect, test } from 'vitest'
import { systemClock } from '../../system-clock.ts'
import type { ProbeAnswer } from './ask-probe.ts'
import { findProviders } from './find-providers.ts'

const { signal } = new AbortController()
const answering = (runs: Readonly<Record<string, ProbeAnswer>>) => ({
  ...{ clock: systemClock, signal },
  ask: async (provider?: { readonly name: string }): Promise<ProbeAnswer> =>
    provider === undefined ? { kind: 'built', names: ['cpu', 'webgpu', 'cuda'] } : runs[provider.name]!
})

test('tries what the library was built with, and what was asked for by name', async () => {
  const parts = answering({ webgpu: { kind: 'runs' }, cuda: { kind: 'absent', because: 'no library' } })
  const found = await findProviders('auto', {}, parts)
  expect(found.map(({ name, lack }) => [name, lack])).toEqual([
    ['cuda', 'no library'],
    ['webgpu', undefined]
  ])
  expect((await findProviders('dml', {}, parts)).map(({ name, lack }) => [name, lack])).toEqual([
    ['dml', `ONNX Runtime for ${process.platform} ${process.arch} does not have it`]
  ])
  expect(await findProviders('cpu', {}, parts)).toEqual([])
})

test('says in the words of ONNX Runtime why cuda is not here', { timeout: 30_000 }, async () => {
  const [cuda] = await findProviders('cuda', {}, { clock: systemClock, signal })
  if (cuda?.lack === undefined) return // it is here
  expect(cuda.lack).toMatch(/Failed to load shared library|does not have it/)
})
