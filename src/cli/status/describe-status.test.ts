import { expect, test } from 'vitest'
import { clusterStatusSchema } from '../../runtime/device/device-status.ts'
import { terminalWidth } from '../live/terminal-width.ts'
import { describeStatus } from './describe-status.ts'

const device = (name: string, more: object = {}) => ({
  ...{ name, id: name, speed: 0.25, emulated: true, memory: 6 * 2 ** 20, policy: 'confluence', uptime: 1 },
  models: { ocr: { blocks: [0, 1, 2, 5], residentBytes: 3 * 2 ** 20 } },
  queue: { lane: 3, links: 1, waiting: 0 },
  ...{ tasks: 9, busySeconds: 1, busy: 0.974, rate: 12.34, bytesSent: 2 ** 23, rss: 1, links: [], waiting: [] },
  counters: { refusedPeers: 0, malformedFrames: 0, oversizedFrames: 0, refusedTasks: 0, unproven: 0 },
  ...more
})
const source = (name: string, more: object = {}) => ({
  ...{ name, device: 'porch', model: 'ocr', state: 'running', available: 100_000, admitted: 9, completed: 99_999 },
  ...{ inFlight: 16, lost: 0, duplicates: 0, resent: 0, rate: 8.25 },
  inferenceTime: { mean: 0.41, p50: 0.4, p95: null, p99: null },
  ...more
})
const status = (devices: object[], sources: object[], more: object = {}) =>
  clusterStatusSchema.parse({
    ...{ answeredBy: 'porch', planner: 'shed', devices, sources },
    placement: { epoch: 3_000_012, ready: true, models: {}, unplaced: [] },
    losses: { lost: 0, duplicates: 0, resent: 2, failed: 0, dropped: 0, devicesLost: 1 },
    ...more
  })

test('a cluster: who carries what, what each source gets, in 80 columns', () => {
  const text = describeStatus(status([device('porch'), device('shed')], [source('cam')]))
  expect(text).toMatch(/^2 devices \(emulated speeds or links\), placement 3\.12 by shed$/m)
  expect(text).toMatch(/^porch +0\.25 +97 % +3\+1 +12\.3 +8\.00 MiB +ocr 0-2,5 \(3\.00 MiB\) of/m)
  expect(text).toMatch(/^cam on porch +running +99999 of +16 +0 +8\.3\/s +410 ms +-$/m)
  expect(text).toMatch(/sent again 2, devices lost 1$/)
})

test('what blocks run on, where there is a choice', () => {
  const providers = ['cuda', 'cuda', 'cpu', 'cuda'].map(provider => ({ provider, because: '' }))
  const models = { ocr: { blocks: [0, 1, 2, 5], residentBytes: 1, providers } }
  const text = describeStatus(status([device('porch', { models }), device('shed')], []))
  expect(text).toMatch(/^porch: ocr 0-1,5 on cuda, 2 on cpu$/m)
  expect(text).not.toContain('shed: ocr')
})

test('what stands still says why: a full disk, a block that nobody carries, policies that differ', () => {
  const full = '/data/cam.jsonl: the disk is full (ENOSPC); tried again, nothing is lost'
  const waiting = [{ model: 'ocr', block: 7, tasks: 4, because: 'no device that can be reached carries it yet' }]
  const text = describeStatus(
    status([device('porch', { waiting })], [source('cam', { state: 'sink stuck', because: full })], {
      differences: ['policies differ: confluence on porch; ms-mdi on shed: start all devices with the same --policy']
    })
  )
  const flat = text.replaceAll(/\s+/g, ' ')
  expect(flat).toContain(`source cam: ${full}`)
  expect(flat).toContain('porch: 4 data wait for block 7 of ocr: no device that can be reached carries it yet')
  expect(flat).toContain('policies differ: confluence on porch; ms-mdi on shed')
})

test('a plan that takes its time is no silence: who makes it is said, and since when', () => {
  const planning = { drift: 0, plans: {}, seconds: 12.3 }
  expect(describeStatus(status([device('porch', { planning })], []))).toContain('porch has been planning for 12.3 s')
  expect(describeStatus(status([device('porch')], []))).not.toContain('planning')
})

test('troubles of a device are named with it: a block that its disk does not take, a copied identity', () => {
  const troubles = [
    'cannot get and keep block 2 of ocr: the disk is full (ENOSPC)',
    'two devices have the identity ...x'
  ]
  const flat = describeStatus(status([device('porch'), device('shed', { troubles })], [])).replaceAll(/\s+/g, ' ')
  for (const text of troubles) expect(flat).toContain(`shed: ${text}`)
  expect(flat).not.toContain('porch: cannot')
})

test('who is set aside, for how long and why', () => {
  const setAside = [
    { device: 'shed', model: 'ocr', seconds: 29.2, because: 'it fails at what others compute: illegal instruction' },
    { device: 'attic', model: 'vad', seconds: null, because: 'block 3 did not end' }
  ]
  const flat = describeStatus(status([device('porch')], [], { setAside })).replaceAll(/\s+/g, ' ')
  expect(flat).toContain('shed is set aside for ocr, for 30 s more: it fails at what others compute: illegal')
  expect(flat).toContain('attic is set aside for vad, until it is started anew: block 3 did not end')
})

test('what waits for its delivery is told once, with its size and what holds it up', () => {
  const deliveries = [
    { to: 'webhook:http://host/a', waiting: 2_500_000, because: 'answers 500' },
    { to: 'mqtt://broker/t', waiting: 0, because: '' }
  ]
  const both = [source('cam', { deliveries }), source('door', { deliveries })]
  const flat = describeStatus(status([device('porch')], both)).replaceAll(/\s+/g, ' ')
  expect(flat.match(/of results wait for/g)).toHaveLength(1)
  expect(flat).toContain('porch: 2.38 MiB of results wait for webhook:http://host/a: answers 500')
})

test('what was given up and what cannot be read is counted, where there is any', () => {
  const flat = (more: object): string => describeStatus(status([device('porch')], [source('cam', more)]))
  expect(flat({ failed: 3, unavailable: 2 })).toContain('\nsource cam: 3 failed; the sink says why\n')
  expect(flat({ failed: 3, unavailable: 2 })).toContain('\nsource cam: 2 absent, unreadable or still being written\n')
  expect(flat({ isAsked: true, dropped: 1 })).toContain('\nsource cam: 1 not begun in time, or not waited for\n')
  expect(flat({})).not.toContain('source cam:')
})

test('long names and many models fit, too', () => {
  const models = Object.fromEntries(
    Array.from({ length: 9 }, (_, m) => [
      `recognition-model-${m}`,
      { blocks: [0, 2, 4, 6, 8], residentBytes: 12_345_678 }
    ])
  )
  const text = describeStatus(
    status(
      [device('a-device-with-a-very-long-name-'.repeat(2), { models, bytesSent: 1e12 })],
      [
        source('a-source-with-a-long-name-indeed', {
          device: 'a-device-with-a-very-long-name',
          state: 'sink stuck',
          rate: 1234.5,
          inferenceTime: { mean: 0.0123, p50: 1, p95: 0.0456, p99: 1 }
        })
      ]
    )
  )
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})

test('who asks or says more than it may is named, with the budget', () => {
  const refusedPeers = [{ peer: 'mallory', budget: 'states', times: 9, because: 'more than 200 states at once' }]
  expect(describeStatus(status([device('porch', { refusedPeers })], []))).toMatch(
    /^porch does not hear all of mallory: more than 200 states at once \(9 times\)$/m
  )
})

test('a wider terminal is used: what is folded in 80 columns stands in one line', () => {
  const models = { recognition: { blocks: [0, 2, 4, 6, 8, 10, 12], residentBytes: 2 ** 20 } }
  const wide = [status([device('a-device-with-a-long-name', { models })], []), 140] as const
  expect(describeStatus(...wide)).toContain('recognition 0,2,4,6,8,10,12 (1.00 MiB) of 6.00 MiB')
  expect(describeStatus(wide[0])).not.toContain('recognition 0,2,4,6,8,10,12 (1.00 MiB) of 6.00 MiB')
  expect(terminalWidth({ columns: 140 })).toBe(140)
  expect([terminalWidth({}), terminalWidth({ columns: 40 })]).toEqual([80, 80])
})
