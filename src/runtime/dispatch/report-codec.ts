import { create } from '@bufbuild/protobuf'
import { STRETCHES } from '../../cluster/stretch-trials.ts'
import { deviceId, modelId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import type { CommodityQueue, Flow, Report } from '../../scheduler/policy.ts'
import { type PolicyReport, PolicyReportSchema, type Flow as WireFlow } from '../generated/tributary/v1/wire_pb.ts'

export const reportToWire = (report: Report, world: World): PolicyReport => {
  const id = (device: number): string => world.devices[device]!.id
  return create(PolicyReportSchema, {
    backlog: report.backlog,
    commitments: report.commitments.map(c => ({ from: id(c.from), to: id(c.to), seconds: c.seconds })),
    received: report.received.map(r => ({ device: id(r.device), tasks: BigInt(r.tasks) })),
    queues: (report.queues ?? []).map(({ model, done, home, tasks }) => ({
      model: world.models[model]!.id,
      done,
      home: id(home),
      tasks: BigInt(tasks)
    })),
    paces: (report.paces ?? []).map(({ source, pace }) => ({ source, pace })),
    ...(report.committed === undefined ? {} : { committed: report.committed }),
    ...(report.flow === undefined ? {} : { flow: flowToWire(report.flow) })
  })
}

/** Seconds. Nobody commits, or takes back, more at once. */
const MOST = 1e6
const isCredible = (work: number): boolean => Math.abs(work) <= MOST

/** Devices that are not known here, and numbers that are none, are left out. */
export const reportFromWire = (wire: PolicyReport, world: World): Report => {
  const index = (id: string): number | undefined => world.deviceIndex(deviceId(id))
  const sane = (n: number): boolean => Number.isFinite(n) && n >= 0
  return {
    backlog: seconds(sane(wire.backlog) ? wire.backlog : 0),
    commitments: wire.commitments.flatMap(c => {
      const from = index(c.from)
      const to = index(c.to)
      return from === undefined || to === undefined || !isCredible(c.seconds) ? [] : [{ from, to, seconds: c.seconds }]
    }),
    received: wire.received.flatMap(r => {
      const device = index(r.device)
      return device === undefined ? [] : [{ device, tasks: Number(r.tasks) }]
    }),
    ...(wire.committed === undefined || wire.committed < 0 || !isCredible(wire.committed)
      ? {}
      : { committed: seconds(wire.committed) }),
    ...(wire.paces.length === 0
      ? {}
      : { paces: wire.paces.flatMap(({ source, pace }) => (sane(pace) && pace > 0 ? [{ source, pace }] : [])) }),
    ...(wire.queues.length === 0 ? {} : { queues: queuesFromWire(wire, world) }),
    ...(wire.flow === undefined ? {} : { flow: flowFromWire(wire.flow) })
  }
}

const flowToWire = ({ window, results, stretch }: Flow) => ({
  window: BigInt(window),
  results: BigInt(results),
  stretch
})

/** Whoever says that windows are to be stretched beyond what anybody tries is not followed there. */
const flowFromWire = ({ window, results, stretch }: WireFlow): Flow => ({
  window: Number(window),
  results: Number(results),
  stretch: Math.max(STRETCHES.least, Math.min(STRETCHES.most, stretch || 1))
})

const queuesFromWire = ({ queues }: PolicyReport, world: World): CommodityQueue[] =>
  queues.flatMap(q => {
    const model = world.modelIndex(modelId(q.model))
    const home = world.deviceIndex(deviceId(q.home))
    return model === undefined || home === undefined ? [] : [{ model, done: q.done, home, tasks: Number(q.tasks) }]
  })
