import { expect, test } from 'vitest'
import { type ClusterStatus, clusterStatusSchema, deviceReportSchema } from '../../runtime/device/device-status.ts'
import { describeTop } from './describe-top.ts'
import { Sorting } from './sorting.ts'

const device = (name: string, busy: number, lane: number) => {
  const { sources: _, ...report } = deviceReportSchema.parse({
    ...{ name, id: name, speed: 1, emulated: false, memory: null, policy: 'confluence', uptime: 1, rss: 1e8 },
    models: { ocr: { blocks: [0], residentBytes: 2 ** 20 } },
    queue: { lane, links: 0, waiting: 0 },
    ...{ tasks: 1, busySeconds: 1, busy, rate: 10 * busy, bytesSent: 5e6, links: [], waiting: [] },
    counters: { refusedPeers: 0, malformedFrames: 0, oversizedFrames: 0, refusedTasks: 0 },
    sources: []
  })
  return report
}
const source = (name: string, rate: number, inFlight: number) => ({
  ...{ name, device: 'porch', model: 'ocr', state: 'running', available: 100, admitted: 60, completed: 50, inFlight },
  ...{ lost: 0, duplicates: 0, resent: 0, rate, failed: 1, dropped: 2 },
  inferenceTime: { mean: 0.062, p50: 0.06, p95: null, p99: null }
})
const status: ClusterStatus = clusterStatusSchema.parse({
  ...{ answeredBy: 'porch', planner: 'shed' },
  devices: [device('porch', 0.2, 9), device('shed', 0.95, 1), device('attic', 0.5, 4)],
  sources: [source('door', 3, 8), source('cam', 11.5, 2)],
  placement: { epoch: 1, ready: true, models: {}, unplaced: [] },
  losses: { lost: 0, duplicates: 0, resent: 0, devicesLost: 0 }
})

const order = (by: 'use' | 'waiting' | 'name'): string[] =>
  describeTop(status, by)
    .split('\n')
    .flatMap(line => /^(porch|shed|attic|door|cam)\b/.exec(line)?.[1] ?? [])

test('who uses most stands first, or who has most waiting, or all by name', () => {
  expect(order('use')).toEqual(['shed', 'attic', 'porch', 'cam', 'door'])
  expect(order('waiting')).toEqual(['porch', 'attic', 'shed', 'door', 'cam'])
  expect(order('name')).toEqual(['attic', 'porch', 'shed', 'cam', 'door'])
})

test('it fits 80 columns, and says how much goes through', () => {
  const text = describeTop(status, 'use')
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  expect(text).toContain('3 devices, 2 sources: 14.5 results/s, 16.5 blocks/s, 10 under way')
  expect(text).toContain('shed    ███████████░  95 %     1')
  expect(text).toMatch(/cam on porch {3}running +11\.5 +2 +50 +3 +62\.0 ms +-/)
})

test('what is sorted by is one of three, and goes round', () => {
  const sorting = new Sorting('use')
  sorting.change()
  expect([sorting.by, sorting.next]).toEqual(['waiting', 'name'])
  expect(() => new Sorting('wating')).toThrow('--sort "wating" is none of use, waiting, name, did you mean "waiting"?')
})
