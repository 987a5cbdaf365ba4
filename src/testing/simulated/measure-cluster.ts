import { deferred } from '../../core/deferred.ts'
import { createRng } from '../../core/rng.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import type { AgreementScenario } from './agreement-scenario.ts'
import { EventClock } from './event-clock.ts'
import { MemoryHub } from './memory-hub.ts'
import { SimulatedDevice } from './simulated-device.ts'
import { toyModel } from './toy-model.ts'

/** What became of all data of a run. */
export interface Measured {
  /** Results per second, from when the sources began until the last result was home. */
  readonly throughput: number
  /** Of a datum from when it is available to when its result is home. */
  readonly meanTime: Seconds
  /** Data that were let go by the terms of their sources. */
  readonly dropped: number
}

export interface MeasuredCluster extends Measured {
  /** Whether a device carried a block when the sources began: by number of device and block. */
  readonly carries: (device: number, block: number) => boolean
}

/** Of the devices. */
const TICK = 0.1
/** Ticks between the last device's being ready and the sources' beginning: what is on its way by then arrives. */
const CALM = 10
const PATIENCE = 600

/** Real devices in simulated time, of which nothing is late or slow by chance. @throws Error where a law is broken */
export const measureCluster = async (scenario: AgreementScenario): Promise<MeasuredCluster> => {
  const clock = new EventClock()
  const rng = createRng(`run ${scenario.seed}`)
  const broken: string[] = []
  const number = (id: string): number => scenario.devices.findIndex(({ name }) => name === id)
  const hub = new MemoryHub({
    clock,
    rng: rng.fork('hub'),
    jitter: 0,
    header: 0,
    shape: (from, to) => scenario.wires[number(from)]![number(to)]!
  })
  const models = scenario.models.map(({ owners: _, ...model }) => [toyModel(model)])
  const begun = deferred<Seconds>()
  let ready = 0
  const times: number[] = []
  let beganAt = 0
  let lastAt = 0
  const devices = scenario.devices.map(
    (_, index) =>
      new SimulatedDevice({
        ...{ index, scenario, models, hub, clock, rng, place: async problem => proportionalPlacement(problem) },
        laws: { broken: law => broken.push(law) },
        log: () => {},
        exact: {
          ready: () => ready++,
          begun: begun.promise,
          observe: {
            ran: () => {},
            sent: () => {},
            admitted: () => {},
            ended: end => {
              if (end.outcome !== 'result') return
              times.push(end.at - end.available)
              lastAt = end.at
            }
          }
        }
      })
  )
  // As in the simulator: nobody's clock is set by the others'.
  for (const [n, device] of devices.entries()) clock.at((n / devices.length) * TICK, () => device.start())
  await clock.run(() => broken.length > 0 || ready === devices.length || clock.now() > PATIENCE)
  let hasBegun = false
  clock.at((Math.ceil(clock.now() / TICK) + CALM) * TICK, () => {
    hasBegun = true
  })
  await clock.run(() => broken.length > 0 || hasBegun)
  const { id } = models[0]![0]!.manifest
  const carried = devices.map(({ device }) =>
    models[0]![0]!.blocks.map((_, k) => device?.view.isOffered(id, k) === true)
  )
  beganAt = clock.now()
  begun.resolve(seconds(0))
  await clock.run(() => broken.length > 0 || clock.now() > beganAt + PATIENCE || devices.every(({ isDone }) => isDone))
  const wanted = scenario.sources.reduce((sum, { count }) => sum + count, 0)
  const dropped = devices
    .flatMap(({ device }) => device?.ownSources() ?? [])
    .reduce((sum, source) => sum + source.dropped, 0)
  if (times.length + dropped !== wanted)
    broken.push(`${times.length} of ${wanted} data have results, ${dropped} were dropped`)
  if (broken.length > 0) throw new Error(`seed ${scenario.seed}: ${broken[0]}`)
  for (const device of devices) device.kill(false, false)
  return {
    throughput: times.length / (lastAt - beganAt),
    meanTime: seconds(times.reduce((a, b) => a + b, 0) / times.length),
    dropped,
    carries: (device, block) => carried[device]![block]!
  }
}
