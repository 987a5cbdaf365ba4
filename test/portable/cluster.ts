import { createRng } from '../../src/core/rng.ts'
import { bytesPerSecond, seconds } from '../../src/core/units.ts'
import { proportionalPlacement } from '../../src/planner/proportional-placement.ts'
import { EventClock } from '../../src/testing/simulated/event-clock.ts'
import { MemoryHub } from '../../src/testing/simulated/memory-hub.ts'
import { entriesOn } from '../../src/testing/simulated/memory-sink.ts'
import type { SimulatedScenario } from '../../src/testing/simulated/scenario.ts'
import { SimulatedDevice } from '../../src/testing/simulated/simulated-device.ts'
import { toyAnswer, toyModel } from '../../src/testing/simulated/toy-model.ts'
import { TAGS } from '../../src/testing/simulated/toy-port.ts'

export interface ClusterRun {
  /** What the sink has of each datum, in order. */
  readonly results: readonly unknown[]
  /** What it should have, computed in one place. */
  readonly expected: readonly string[]
  /** Names of devices that ran something. */
  readonly ran: readonly string[]
  readonly broken: readonly string[]
}

const MODEL = { name: 'net', salt: 7, work: [0.02, 0.04, 0.03], weights: [4e6, 5e6, 6e6], length: 16, skips: true }
/** No device has room for the whole model. */
const MEMORY = 10e6
const COUNT = 3

const SCENARIO: SimulatedScenario = {
  ...{ seed: 1, policy: 'confluence', startWhen: 3, isPlanned: false, faults: [] },
  devices: ['porch', 'shed', 'attic'].map(name => ({ name, speed: 1, memory: MEMORY })),
  models: [{ ...MODEL, owners: [0] }],
  sources: [
    {
      ...{ name: 'cam', device: 0, model: 0, count: COUNT, window: 2, arrivals: { kind: 'saturated' }, weight: 1 },
      ...{ poison: [], bad: [] }
    }
  ]
}

/**
 * Three devices that begin with nothing find each other, plan, fetch blocks, and compute a source's data together.
 * @param turn does something once all that can go on now has gone on
 */
export const runCluster = async (turn: (work: () => void) => void): Promise<ClusterRun> => {
  const clock = new EventClock(turn)
  const rng = createRng('portable')
  const broken: string[] = []
  const shape = () => ({ latency: seconds(0.002), rate: bytesPerSecond(1e7) })
  const hub = new MemoryHub({ clock, rng: rng.fork('hub'), shape })
  const model = toyModel(MODEL)
  const laws = { broken: (law: string) => void broken.push(law) }
  const parts = { scenario: SCENARIO, models: [[model, model]], hub, clock, rng, laws, log: () => {} }
  const devices = SCENARIO.devices.map(
    (_, index) => new SimulatedDevice({ ...parts, index, place: proportionalPlacement })
  )
  for (const device of devices) device.start()
  await clock.run(() => broken.length > 0 || clock.now() > 60 || devices.every(({ isDone }) => isDone))
  const ran = devices.flatMap(({ name, device }) =>
    device?.status().devices.some(told => told.name === name && told.tasks > 0) ? [name] : []
  )
  await Promise.all([
    ...devices.map(device => device.leave(false)),
    clock.run(() => devices.every(({ isUp }) => !isUp))
  ])
  return {
    results: entriesOn(devices[0]!.sinkDisk).map(entry => ('result' in entry ? entry.result : entry)),
    expected: Array.from(
      { length: COUNT },
      (_, datum) => `${model.manifest.id.slice(0, 8)} ${toyAnswer(model, 0, 0 * TAGS + datum)}`
    ),
    ran,
    broken
  }
}
