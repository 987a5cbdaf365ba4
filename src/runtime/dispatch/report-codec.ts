import { STRETCHES } from '../../cluster/stretch-trials.ts'
import { deviceId, modelId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import type { CommodityQueue, Flow, Report } from '../../scheduler/policy.ts'
import type { PolicyReport, Flow as WireFlow } from '../generated/tributary/v1/wire_pb.ts'

export const reportToWire = (report: Report, world: World): PolicyReport => {
  const id = (device: number): string => world.devices[device]!.id
  // One rides along with each task: a literal with all members, which the library need not fill in.
  const wire: PolicyReport = {
    $typeName: 'tributary.v1.PolicyReport',
    backlog: report.backlog,
    commitments: report.commitments.map(({ from, to, seconds }) => ({
      $typeName: 'tributary.v1.Commitment',
      from: id(from),
      to: id(to),
      seconds
    })),
    received: report.received.map(({ device, tasks }) => ({
      $typeName: 'tributary.v1.Received',
      device: id(device),
      tasks: BigInt(tasks)
    })),
    queues: (report.queues ?? []).map(({ model, done, home, tasks }) => ({
      $typeName: 'tributary.v1.CommodityQueue',
      model: world.models[model]!.id,
      done,
      home: id(home),
      tasks: BigInt(tasks)
    })),
    paces: (report.paces ?? []).map(({ source, pace }) => ({ $typeName: 'tributary.v1.Pace', source, pace }))
  }
  if (report.committed !== undefined) wire.committed = report.committed
  if (report.flow !== undefined) wire.flow = flowToWire(report.flow)
  return wire
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

const flowToWire = ({ window, results, stretch }: Flow): WireFlow => ({
  $typeName: 'tributary.v1.Flow',
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
