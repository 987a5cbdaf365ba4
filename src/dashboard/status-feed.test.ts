import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import type { ClusterStatus } from '../runtime/device/device-status.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { RecentLines } from './recent-lines.ts'
import { type StatusChange, StatusFeed } from './status-feed.ts'

const setUp = () => {
  const clock = createManualClock()
  const lines = new RecentLines(() => clock.now())
  const cluster = { devices: [device('a'), device('b')], planner: 'a' }
  let asked = 0
  const status = () => {
    asked++
    return structuredClone(cluster) as unknown as ClusterStatus
  }
  const feed = new StatusFeed({ status, lines, clock, wallTime: () => clock.now() })
  return { clock, lines, cluster, feed, asked: () => asked }
}

const device = (id: string) => ({ id, tasks: 0, uptime: 0 })

test('a viewer gets all of it at once, then only what has changed', async () => {
  const { clock, lines, cluster, feed } = setUp()
  lines.add('before')
  const told: StatusChange[] = []
  const end = feed.watch(change => told.push(change))
  expect(told).toMatchObject([
    { there: ['a', 'b'], devices: [{ id: 'a' }, { id: 'b' }], rest: { planner: 'a' }, lines: [{ text: 'before' }] }
  ])
  cluster.devices[1]!.tasks = 7
  cluster.devices[0]!.uptime = 99 // nothing that anybody waits for
  await clock.advance(seconds(1))
  expect(told.slice(1)).toEqual([
    { time: expect.any(Number), there: ['a', 'b'], devices: [{ ...device('b'), tasks: 7 }], lines: [] }
  ])
  cluster.devices.pop()
  lines.add('b has left', 'warn')
  await clock.advance(seconds(1))
  expect(told.at(-1)).toMatchObject({ there: ['a'], devices: [], lines: [{ level: 'warn', text: 'b has left' }] })
  expect(told).toHaveLength(3)
  end()
})

test('while nobody looks the cluster is not asked, and it is asked once for all who do', async () => {
  const { clock, feed, asked } = setUp()
  await clock.advance(seconds(10))
  expect(asked()).toBe(0)
  const ends = [feed.watch(() => {}), feed.watch(() => {})]
  const before = asked()
  await clock.advance(seconds(10))
  expect(asked() - before).toBeLessThanOrEqual(21)
  for (const end of ends) end()
  const after = asked()
  await clock.advance(seconds(10))
  expect(asked()).toBe(after)
})

test('an invite is in the log for those who run the device, not for those who look', () => {
  const lines = new RecentLines(() => 0)
  lines.add('others join it with:\n\n  tributary node --join tributary1:eyJrIjoi-_Nk5TOX==\n')
  expect(lines.since(0)[0]!.text).toBe('others join it with:\n\n  tributary node --join (an invite)\n')
})

test('a line says what it is about, as the log has it', () => {
  const lines = new RecentLines(() => 0)
  lines.add('lost shed: it is silent', 'warn', { kind: 'left', device: 'shed', traceId: 'x' })
  lines.add('carries block 1 of net')
  expect(lines.since(0)).toEqual([
    { number: 1, time: 0, level: 'warn', text: 'lost shed: it is silent', kind: 'left', device: 'shed' },
    { number: 2, time: 0, level: 'info', text: 'carries block 1 of net' }
  ])
})

test('the log that is kept has an end', () => {
  const lines = new RecentLines(() => 0)
  for (let i = 0; i < 10_000; i++) lines.add('x'.repeat(10_000))
  expect(lines.since(0)).toHaveLength(200)
  expect(lines.since(0).at(-1)).toMatchObject({ number: 10_000, text: 'x'.repeat(500) })
  expect(lines.since(9_999)).toHaveLength(1)
})
