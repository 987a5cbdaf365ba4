import { expect, test } from 'vitest'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { sourceToTrace } from './source-to-trace.ts'

const having =
  (...names: readonly string[]) =>
  async () =>
    ({ sources: names.map(name => ({ name, device: 'porch' })) }) as unknown as Pick<ClusterStatus, 'sources'>

test('the only source needs no name, and of several one is to be chosen', async () => {
  expect(await sourceToTrace(undefined, having('cam'))).toBe('cam@porch')
  await expect(sourceToTrace(undefined, having('cam', 'door'))).rejects.toThrow('cam@porch, door@porch')
  await expect(sourceToTrace(undefined, having())).rejects.toThrow('there is no source')
})

test('a source by name, or by name and device; where there is none of it, those that there are', async () => {
  expect(await sourceToTrace('cam', having('cam', 'door'))).toBe('cam')
  expect(await sourceToTrace('cam@porch', having('cam'))).toBe('cam@porch')
  await expect(sourceToTrace('gate', having('cam'))).rejects.toThrow('no such source (there: cam@porch)')
})
