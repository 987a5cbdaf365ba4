import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import type { Report } from '../../scheduler/policy.ts'
import { smallWorld } from '../../testing/small-world.ts'
import { PolicyReportSchema } from '../generated/tributary/v1/wire_pb.ts'
import { reportFromWire, reportToWire } from './report-codec.ts'

const world = smallWorld({ speeds: [1, 1], work: [1], activations: [1, 1] })
const report: Report = {
  backlog: seconds(0.5),
  commitments: [{ from: 0, to: 1, seconds: 2 }],
  received: [{ device: 1, tasks: 3 }],
  queues: [
    { model: 0, done: 0, home: 1, tasks: 7 },
    { model: 0, done: 1, home: 0, tasks: 1 }
  ]
}
const crossed = (said: Report, there = world): Report =>
  reportFromWire(fromBinary(PolicyReportSchema, toBinary(PolicyReportSchema, reportToWire(said, world))), there)

test('a report crosses the wire whole, queues included', () => {
  expect(crossed(report)).toEqual(report)
})

test('what is taken back, and what is committed in all, cross too; numbers that are none, or beyond belief, do not', () => {
  const anew: Report = { ...report, commitments: [{ from: 1, to: 1, seconds: -2 }], committed: seconds(1.5) }
  expect(crossed(anew)).toEqual(anew)
  const broken = {
    ...anew,
    commitments: [Number.NaN, 1e300].map(work => ({ from: 1, to: 1, seconds: work })),
    committed: seconds(-1)
  }
  expect(crossed(broken)).toEqual({ ...report, commitments: [] })
})

test('what flows home crosses, and no window is stretched beyond what anybody tries', () => {
  const flow = { window: 40, results: 12345, stretch: 2.25 }
  expect(crossed({ ...report, flow }).flow).toEqual(flow)
  const stretched = (stretch: number): unknown => crossed({ ...report, flow: { ...flow, stretch } }).flow?.stretch
  expect([1e9, 0, -1, Number.NaN, Number.POSITIVE_INFINITY].map(stretched)).toEqual([16, 1, 0.5, 1, 16])
})

test('a report without queues stays without', () => {
  const { queues: _, ...plain } = report
  expect(crossed(plain)).toEqual(plain)
})

test('queues of homes that are not known there are left out', () => {
  const there = smallWorld({ speeds: [1], work: [1], activations: [1, 1] })
  expect(crossed(report, there).queues).toEqual([{ model: 0, done: 1, home: 0, tasks: 1 }])
})
