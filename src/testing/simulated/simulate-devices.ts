import { createHash } from 'node:crypto'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import type { Place } from '../../planner/placement.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { checkFaults, checkSimulation } from './check-simulation.ts'
import { EventClock } from './event-clock.ts'
import type { Fault } from './fault.ts'
import { LastCopyLaw } from './last-copy-law.ts'
import { longestEnd, wrongOutcomes } from './laws.ts'
import { MemoryHub } from './memory-hub.ts'
import { type SimulatedScenario, scenarioOf } from './scenario.ts'
import { SimulatedDevice } from './simulated-device.ts'
import { toyModel } from './toy-model.ts'
import { TAGS } from './toy-port.ts'

/** What became of a simulated cluster. */
export interface SimulationOutcome {
  readonly scenario: SimulatedScenario
  /** Laws that were broken, a sentence each; none: all is well. */
  readonly broken: readonly string[]
  /** What happened, a line each; the last is a digest of every message besides. */
  readonly log: readonly string[]
  /** Simulated. */
  readonly seconds: number
  /** Of these, after the last fault was over; negative: all was done before. */
  readonly calm: number
  readonly events: number
}

/** What is to be other than the seed has it. */
export interface SimulationOptions {
  /** Instead of the seed's own. */
  readonly faults?: readonly Fault[]
  /** Where the seed's scenario is planned. @default the simple rule */
  readonly planned?: Place
}

/** One in so many seeds puts every message in bytes. */
const ENCODED = 8
/** And a device stops within so many. */
const STOPPING = 30

/**
 * A cluster of real devices in simulated time: all that happens follows from the seed and the faults.
 * @param seed a whole number from 0, which makes the cluster, its models, sources and faults
 * @returns which laws were broken, and the log: the same for the same seed, byte for byte
 * @throws UserError `badOption`
 */
export const simulateDevices = async (seed: number, options: SimulationOptions = {}): Promise<SimulationOutcome> => {
  checkSimulation(seed, options)
  const { faults, planned } = options
  const own = scenarioOf(seed)
  if (faults !== undefined) checkFaults(faults, own)
  const scenario = faults === undefined ? own : { ...own, faults }
  const clock = new EventClock()
  const rng = createRng(`run ${seed}`)
  const broken: string[] = []
  const log: string[] = []
  const trace = createHash('sha256')
  const say = (text: string): void => {
    log.push(`${clock.now().toFixed(6)} ${text}`)
  }
  const laws = {
    broken: (law: string): void => {
      broken.push(law)
      say(`BROKEN ${law}`)
    }
  }
  const shapes = rng.fork('wires')
  const hub = new MemoryHub({
    clock,
    rng: rng.fork('hub'),
    gossipLoss: 0.02,
    encodes: seed % ENCODED === 0,
    trace: text => trace.update(`${clock.now()} ${text}\n`),
    shape: () => ({
      latency: seconds(0.0005 + 0.01 * shapes.next() ** 2),
      rate: bytesPerSecond(1e5 * 10 ** (2 * shapes.next()))
    })
  })
  const models = scenario.models.map(({ owners: _, ...model }) => [
    toyModel(model),
    toyModel({ ...model, salt: model.salt + 1 })
  ])
  const lastCopies = new LastCopyLaw()
  const place = scenario.isPlanned && planned !== undefined ? planned : proportionalPlacement
  const devices = scenario.devices.map(
    (_, index) => new SimulatedDevice({ index, scenario, models, hub, clock, rng, place, laws, lastCopies, log: say })
  )
  const catchStray = (error: unknown): void =>
    laws.broken(`an error that nobody handles: ${error instanceof Error ? error.stack : error}`)
  process.on('unhandledRejection', catchStray)
  let calm = 0
  let doneAt = 0
  try {
    calm = schedule(scenario, devices, hub, clock, say)
    const limit = calm + longestEnd(scenario)
    const isDone = (): boolean => devices.every(device => device.isDone)
    await clock.run(() => broken.length > 0 || clock.now() > limit || isDone())
    doneAt = clock.now()
    if (broken.length === 0 && !isDone()) laws.broken(describeUnfinished(devices, limit))
    if (broken.length === 0) for (const law of wrongOutcomes(scenario, models, devices, TAGS)) laws.broken(law)
    if (broken.length === 0) {
      const until = Math.max(clock.now(), calm) + STOPPING
      // One that is killed while it stops is stopped; one that comes back after that is told anew.
      const haveStopped = (): boolean => {
        for (const device of devices) void device.leave(false)
        return devices.every(({ isUp }) => !isUp)
      }
      await clock.run(() => haveStopped() || broken.length > 0 || clock.now() > until)
      if (broken.length === 0 && !haveStopped()) laws.broken(`not all devices stopped within ${STOPPING} s`)
    }
  } finally {
    process.off('unhandledRejection', catchStray)
  }
  say(`${clock.fired} events, ${trace.digest('hex').slice(0, 16)}`)
  return { scenario, broken, log, seconds: clock.now(), calm: doneAt - calm, events: clock.fired }
}

const describeUnfinished = (devices: readonly SimulatedDevice[], limit: number): string => {
  const open = devices.flatMap(({ name, isDone, device }) =>
    isDone ? [] : [`${name} ${device === undefined ? 'is down' : JSON.stringify(device.ownSources())}`]
  )
  return `after ${limit.toFixed(0)} s sources are not done: ${open.join('; ')}`
}

/** @returns when nothing goes wrong any more */
const schedule = (
  { faults }: SimulatedScenario,
  devices: readonly SimulatedDevice[],
  hub: MemoryHub,
  clock: EventClock,
  say: (text: string) => void
): number => {
  const absent = new Set(faults.flatMap(fault => (fault.kind === 'absent' ? [fault.device] : [])))
  for (const device of devices) if (!absent.has(device.index)) device.start()
  let calm = 0
  for (const fault of faults) {
    const lasts = 'lasts' in fault ? fault.lasts : 0
    calm = Math.max(calm, fault.at + lasts)
    clock.at(fault.at, () => {
      say(`fault ${JSON.stringify(fault)}`)
      const undo = inflict(fault, devices, hub)
      if (undo !== undefined)
        clock.after(lasts, () => {
          say(`over: ${fault.kind}`)
          undo()
        })
    })
  }
  return calm
}

const cuts = new WeakMap<MemoryHub, Map<string, number>>()

/** @returns how it is made good again */
const inflict = (fault: Fault, devices: readonly SimulatedDevice[], hub: MemoryHub): (() => void) | undefined => {
  switch (fault.kind) {
    case 'crash':
    case 'power':
    case 'leave': {
      const device = devices[fault.device]!
      if (device.isAway || !device.isUp) return undefined
      device.isAway = true
      if (fault.kind === 'leave') void device.leave(fault.wipes)
      else device.kill(fault.kind === 'crash', fault.wipes)
      return () => back(device, hub)
    }
    case 'swap': {
      const device = devices[fault.device]!
      if (device.isAway || !device.isUp) return undefined
      device.isAway = true
      device.kill(true, false)
      device.swapModels()
      return () => back(device, hub)
    }
    case 'model':
      devices[fault.device]!.addModel()
      return undefined
    case 'absent': {
      const device = devices[fault.device]!
      return () => {
        if (!device.isAway) device.start()
      }
    }
    case 'gone': {
      const device = devices[fault.device]!
      device.isAway = true
      device.kill(true, false)
      return undefined
    }
    case 'hang':
      return devices[fault.device]!.hang()
    case 'fail':
      return ail(devices[fault.device]!, 'fails')
    case 'stick':
      return ail(devices[fault.device]!, 'isStuck')
    case 'fullSink':
      return ail(devices[fault.device]!, 'sinkIsFull')
    case 'slowSink':
      return ail(devices[fault.device]!, 'sinkIsSlow')
    case 'fullDisk':
      return ail(devices[fault.device]!, 'diskIsFull')
    case 'slowDisk':
      return ail(devices[fault.device]!, 'diskIsSlow')
    case 'itemsAway':
      return ail(devices.find(device => device.hasSource(fault.source))!, 'itemsAreAway')
    case 'slow': {
      const { ails } = devices[fault.device]!
      ails.slowness *= fault.factor
      return () => {
        ails.slowness /= fault.factor
      }
    }
    case 'wallJump':
      devices[fault.device]!.ails.wallOffset += fault.by
      return undefined
    case 'cut':
      return cutAll(hub, [[devices[fault.from]!, devices[fault.to]!]])
    case 'partition': {
      const inside = new Set(fault.devices)
      const pairs = devices.flatMap(a => devices.map(b => [a, b] as const))
      return cutAll(
        hub,
        pairs.filter(([a, b]) => inside.has(a.index) !== inside.has(b.index))
      )
    }
    case 'disconnect':
      hub.disconnect(devices[fault.from]!.id, devices[fault.to]!.id)
      return undefined
    case 'reset':
      hub.reset(devices[fault.from]!.id, devices[fault.to]!.id)
      return undefined
    case 'twice': {
      const to = devices[fault.device]!
      const wires = devices.filter(device => device !== to).map(({ id }) => hub.wire(id, to.id))
      for (const wire of wires) wire.doubles++
      return () => {
        for (const wire of wires) wire.doubles--
      }
    }
    case 'slowWire': {
      const wire = hub.wire(devices[fault.from]!.id, devices[fault.to]!.id)
      wire.rate = (wire.rate / fault.factor) as typeof wire.rate
      return () => {
        wire.rate = (wire.rate * fault.factor) as typeof wire.rate
      }
    }
    default:
      return fault satisfies never
  }
}

/** It may still be stopping. */
const back = (device: SimulatedDevice, hub: MemoryHub): void => {
  if (device.isUp) {
    hub.clock.after(0.5, () => back(device, hub))
    return
  }
  device.isAway = false
  device.start()
}

const ail = (device: SimulatedDevice, what: keyof SimulatedDevice['ails']): (() => void) => {
  device.ails[what]++
  return () => {
    device.ails[what]--
  }
}

/** A wire may be cut for several reasons at once; those that are cut by machine, whatever process is on it. */
const cutAll = (hub: MemoryHub, pairs: readonly (readonly [SimulatedDevice, SimulatedDevice])[]): (() => void) => {
  const counts = cuts.get(hub) ?? new Map<string, number>()
  cuts.set(hub, counts)
  const change = (by: number): void => {
    for (const [{ id: from }, { id: to }] of ids) {
      const key = `${from} ${to}`
      const count = (counts.get(key) ?? 0) + by
      counts.set(key, count)
      if (count > 0) hub.cut(from, to)
      else hub.heal(from, to)
    }
  }
  const ids = pairs.map(([a, b]) => [{ id: a.id }, { id: b.id }] as const)
  change(1)
  return () => change(-1)
}
