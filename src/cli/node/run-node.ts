import type { JobGuard } from '../../core/job-guard.ts'
import { createRng } from '../../core/rng.ts'
import { milliseconds, type Seconds, seconds } from '../../core/units.ts'
import { EmulatedEngine } from '../../emulation/emulated-engine.ts'
import { EmulatedNetwork } from '../../emulation/emulated-network.ts'
import { type OpenDeviceOptions, openDevice } from '../../node/open-device.ts'
import type { Device } from '../../runtime/device/device.ts'
import { createEngine } from '../../runtime/engine/create-engine.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import type { OnnxModel } from '../../runtime/onnx/onnx-model.ts'
import type { Engine } from '../../runtime/ports/engine.ts'
import { type StateFolder, stateFolderOf } from '../../runtime/state/state-folder.ts'
import { machineTimeOffset, systemClock } from '../../runtime/system-clock.ts'
import { POLICIES } from '../../scheduler/policies.ts'
import { endProcess } from './end-process.ts'
import { createNodeLog, type NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import { readJoins } from './read-joins.ts'
import { shapesFor } from './shapes-for.ts'
import { takeOrders } from './take-orders.ts'
import type { TraceFile } from './trace-file.ts'
import { trimHeap } from './trim-heap.ts'
import { untilEnded } from './until-ended.ts'

const exitWith = (code: number): void => {
  process.exitCode = code
}

/** From the first Ctrl-C or SIGTERM to the end of the process, whatever happens. */
const STOPPING: Seconds = seconds(12)

/** Runs a device until it is told to stop, or has nothing left to do where that is asked for. */
export const runNode = async (options: NodeOptions): Promise<void> => {
  const log = createNodeLog(options.name, options.jsonEvents)
  await using own = createEngine({ threads: options.threads, group: options.laneGroup })
  try {
    await runDevice(options, log, own)
  } finally {
    if ((own.abandoned ?? 0) > 0) {
      log.say('a block that never ends still runs; this process is ended by a signal', 'error')
      endProcess()
    }
  }
}

const runDevice = async (options: NodeOptions, log: NodeLog, own: Engine): Promise<void> => {
  const emulated = emulatedEngine(options, own)
  const engine = emulated ?? own
  const folder = stateFolderOf(options.name, options.state)
  const spec = await ioSpecOf(options)
  const orders = options.controlled ? takeOrders(log) : undefined
  await using trace = await traceOf(options, log)
  await using opened = await openDevice(
    {
      ...(await deviceOptions(options, folder, spec, log)),
      engine,
      ...(trace === undefined ? {} : { observe: trace, troubles: () => trace.troubles() }),
      ...(orders === undefined ? {} : { begun: orders.begun })
    },
    log
  )
  const { device, cluster, guard } = opened
  orders?.obey({
    engine: emulated,
    links: options.links,
    join: address => cluster.network.join(address),
    stopAdapting: () => device.stopAdapting()
  })
  const leave = untilToldToStop(options, log)
  const over = new AbortController()
  try {
    const closeSources = await sourcesOf(options, folder, device, spec, log, trace)
    try {
      if (!(await leave.unlessAsked(device.start()))) return
      await cluster.announce()
      trimHeap()
      await Promise.race([
        leave.asked,
        untilEnded(device, options, log, exitWith),
        reporting(device, options, log, guard, over.signal)
      ])
      if (options.jsonEvents) log.event({ event: 'status', status: device.status() })
      if (options.json) process.stdout.write(`${JSON.stringify(device.status())}\n`)
    } finally {
      over.abort()
      await device.stop({ patience: seconds(leave.hurry() ? 0 : 5) })
      await closeSources()
      if (leave.isAsked() && options.exitWhenDone && device.ownSources().some(({ state }) => state !== 'done'))
        process.exitCode ??= 130
    }
  } finally {
    await device.stop({ patience: seconds(0) })
    leave.forget()
  }
}

/** Another device's engine on this one's; undefined where the device is this machine and nothing else. */
const emulatedEngine = (options: NodeOptions, own: Engine): EmulatedEngine | undefined =>
  options.emulated || options.controlled
    ? new EmulatedEngine(own, systemClock, {
        speed: options.speed,
        isCalibrated: options.controlled,
        isPaced: !options.speedIsReal
      })
    : undefined

/** What the flags say of the device, in the words of whoever makes one. */
const deviceOptions = async (
  options: NodeOptions,
  folder: StateFolder,
  spec: IoSpec | undefined,
  log: NodeLog
): Promise<Omit<OpenDeviceOptions, 'engine'>> => {
  const { links, join, joinFiles } = options
  const exampleInputs =
    spec === undefined ? undefined : (await import('../../runtime/io/example-inputs.ts')).exampleInputs
  return {
    ...options,
    folder,
    join: () => readJoins({ join, joinFiles, say: (text, level) => log.say(text, level) }),
    createPolicy: POLICIES[options.policy],
    declaresWork: options.controlled,
    ownTimes: options.times,
    models: options.models.map(model => ownedModel(model, options, folder, spec, exampleInputs)),
    saysInvite: process.stderr.isTTY === true,
    ...(links.isEmpty
      ? {}
      : {
          shaper: (peer, name) => links.shaperOf(peer, name),
          decorate: (network, said) => new EmulatedNetwork(network, peer => links.exists(peer, said(peer)))
        })
  }
}

const ioSpecOf = async ({ preset, io }: NodeOptions): Promise<IoSpec | undefined> => {
  if (preset === undefined && io === undefined) return undefined
  const { readIoSpec } = await import('../../runtime/io/read-io-spec.ts')
  return readIoSpec(preset !== undefined ? { preset } : { ioFile: io! })
}

const traceOf = async ({ trace }: NodeOptions, log: NodeLog): Promise<TraceFile | undefined> => {
  if (trace === undefined) return undefined
  const { TraceFile: file } = await import('./trace-file.ts')
  return file.open(trace, {
    clock: systemClock,
    offset: machineTimeOffset(),
    say: (text, level) => log.say(text, level)
  })
}

/** What reads images and keeps sinks is loaded only where there is a source. @returns how to close them */
const sourcesOf = async (
  options: NodeOptions,
  folder: StateFolder,
  device: Device,
  spec: IoSpec | undefined,
  log: NodeLog,
  trace: TraceFile | undefined
): Promise<() => Promise<void>> => {
  if (options.sources.length === 0) return async () => {}
  const { openSources } = await import('./open-sources.ts')
  return openSources(options, folder, device, spec, createRng(options.seed), log, trace)
}

type ExampleInputs = typeof import('../../runtime/io/example-inputs.ts').exampleInputs

/**
 * What makes images says what shapes the inputs that they fill have, where --shape does not; what is left open of other
 * data, which run in their own shapes, is 1 for cutting.
 */
const ownedModel = (
  model: NodeOptions['models'][number],
  options: NodeOptions,
  folder: StateFolder,
  spec: IoSpec | undefined,
  exampleInputs: ExampleInputs | undefined
): OnnxModel => ({
  ...model,
  shapes: shapesFor(model.name, options),
  maxBlocks: options.maxBlocks.get(model.name) ?? options.maxBlocks.get('')!,
  cutAt: options.cutAt.get(model.name) ?? [],
  ...(options.pinned.includes(model.name) ? { pinned: true } : {}),
  ...(options.work.has(model.name) ? { work: options.work.get(model.name)! } : {}),
  folder: folder.models,
  ...(spec === undefined || exampleInputs === undefined
    ? {}
    : { exampleShapes: inputs => new Map(exampleInputs(spec, inputs).map(({ spec: { name }, dims }) => [name, dims])) })
})

/** Programs that listen to events are told the status every second. Ends when `signal` aborts. */
const reporting = async (
  device: Device,
  { jsonEvents }: NodeOptions,
  log: NodeLog,
  guard: JobGuard,
  signal: AbortSignal
): Promise<void> => {
  if (!jsonEvents) return new Promise(() => {})
  const work = (): void => log.event({ event: 'status', status: device.status() })
  return guard.every('telling the status', () => seconds(1), work, { clock: systemClock, signal })
}

interface Leave {
  readonly asked: Promise<void>
  /** @returns false when it was asked before `begun` was through: there is nothing to finish yet */
  unlessAsked(begun: Promise<void>): Promise<boolean>
  isAsked(): boolean
  /** Asked twice: do not finish what is queued. */
  hurry(): boolean
  forget(): void
}

/** Ctrl-C, SIGTERM, or the end of standard input where a parent process holds it. */
const untilToldToStop = (options: NodeOptions, log: NodeLog): Leave => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stopped = new AbortController()
  let times = 0
  let isBegun = false
  const ask = (): void => {
    times++
    if (times > 1) endProcess('SIGINT')
    else {
      log.say(isBegun ? 'stopping: finishing what is queued here (again to stop at once)' : 'stopping before it began')
      void systemClock.sleep(STOPPING, { signal: stopped.signal }).then(
        () => {
          log.say(
            `not stopped after ${STOPPING} s: this process is ended; what is not in the sink is done again at the next start`,
            'error'
          )
          endProcess()
        },
        () => {}
      )
    }
    resolve()
  }
  process.on('SIGINT', ask)
  process.on('SIGTERM', ask)
  const orphaned = (): void => {
    log.say('the parent process is gone')
    resolve()
    void systemClock.sleep(milliseconds(2000)).then(() => endProcess())
  }
  if (options.exitWithParent) process.stdin.once('end', orphaned).once('close', orphaned).resume()
  return {
    asked: promise,
    unlessAsked: async begun => {
      begun.catch(() => {}) // what is stopped in its midst may fail
      isBegun = await Promise.race([begun.then(() => true), promise.then(() => false)])
      if (!isBegun) process.exitCode = 130
      return isBegun
    },
    isAsked: () => times > 0,
    hurry: () => times > 1,
    forget: () => {
      stopped.abort()
      process.off('SIGINT', ask)
      process.off('SIGTERM', ask)
      if (options.exitWithParent) process.stdin.off('end', orphaned).off('close', orphaned).pause().unref()
    }
  }
}
