import type { JobGuard } from '../../core/job-guard.ts'
import { seconds } from '../../core/units.ts'
import { TributaryError } from '../../core/user-error.ts'
import { RecentLines } from '../../dashboard/recent-lines.ts'
import { RecentResults } from '../../dashboard/recent-results.ts'
import { EmulatedEngine } from '../../emulation/emulated-engine.ts'
import { type OpenedDevice, openDevice } from '../../node/open-device.ts'
import { openLanes } from '../../node/open-lanes.ts'
import type { Device } from '../../runtime/device/device.ts'
import { createProviderEngine, type ProviderOptions } from '../../runtime/engine/providers/create-provider-engine.ts'
import { readProviderSettings } from '../../runtime/engine/providers/read-provider-settings.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import type { Engine } from '../../runtime/ports/engine.ts'
import { observeAll } from '../../runtime/ports/observe-all.ts'
import { stateFolderOf } from '../../runtime/state/state-folder.ts'
import { machineTimeOffset, systemClock, wallTime } from '../../runtime/system-clock.ts'
import type { Serving } from '../../serving/open-serving.ts'
import type { NodeConfig } from '../config/load-node-config.ts'
import { withFlags } from '../with-flags.ts'
import { deviceOptions } from './device-options.ts'
import { endProcess } from './end-process.ts'
import { ioSpecOf } from './io-spec-of.ts'
import { isEmulated } from './is-emulated.ts'
import { modelStamps } from './model-stamps.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import type { NodeSources, NodeSourcesParts } from './node-sources.ts'
import { type Hangup, onHangup } from './on-hangup.ts'
import { openMetrics } from './open-metrics.ts'
import { openNodeDashboard } from './open-node-dashboard.ts'
import { openNodeLog } from './open-node-log.ts'
import { openNodeServing } from './open-node-serving.ts'
import { openNodeTracing } from './open-node-tracing.ts'
import { PageSources } from './page-sources.ts'
import { Reloader } from './reloader.ts'
import { takeOrders } from './take-orders.ts'
import type { TraceFile } from './trace-file.ts'
import { trimAtRest, trimHeap } from './trim-heap.ts'
import { untilEnded } from './until-ended.ts'
import { type Leave, untilToldToStop } from './until-told-to-stop.ts'

const exitWith = (code: number): void => {
  process.exitCode = code
}

/**
 * Runs a device until it is told to stop, or has nothing left to do where that is asked for.
 * @param load reads its config anew; undefined where it has none
 * @param measured the calibration model's least time, where that is being measured
 */
export const runNode = async (
  config: NodeConfig,
  load: (() => Promise<NodeConfig>) | undefined,
  measured: Promise<number> | undefined
): Promise<void> => {
  const { options } = config
  using out = openNodeLog(options)
  const lines = new RecentLines(wallTime)
  const log = options.dashboard === undefined ? out : keepingLines(out, lines)
  const { engine, emulated } = openEngine(options, log, await providersOf(options, log), measured)
  await using own = engine
  try {
    await runDevice({ config, load, log, lines, own, emulated })
  } catch (error) {
    // Standard error has it from whoever called; a file is read by those who see nothing else.
    const words = error instanceof TributaryError ? withFlags(error) : String(error)
    if (options.log.file !== undefined) log.say(`ended: ${words}`, 'error')
    throw error
  } finally {
    if ((own.abandoned ?? 0) > 0) {
      log.say('a block that never ends still runs; this process is ended by a signal', 'error')
      endProcess()
    }
  }
}

const providersOf = async ({ provider, providerOptions }: NodeOptions, log: NodeLog): Promise<ProviderOptions> => ({
  ...(providerOptions === undefined ? {} : { providerSettings: await readProviderSettings(providerOptions) }),
  provider,
  say: (text, level) => log.say(text, level)
})

/** What this machine runs blocks on, or another device's engines on it, one for each lane. */
const openEngine = (
  options: NodeOptions,
  log: NodeLog,
  providers: ProviderOptions,
  measured: Promise<number> | undefined
): { readonly engine: Engine; readonly emulated: readonly EmulatedEngine[] } => {
  const emulated: EmulatedEngine[] = []
  const tellsOwn = isEmulated(options)
  const engine = openLanes({
    ...{ lanes: options.lanes, threads: options.threads, say: (text, level) => log.say(text, level) },
    open: threads => {
      const own = createProviderEngine({ threads, group: options.laneGroup, tellsOwn, measured }, providers)
      if (!tellsOwn) return own
      const { speed, controlled: isCalibrated, speedIsReal } = options
      const other = new EmulatedEngine(own, systemClock, { speed, isCalibrated, isPaced: !speedIsReal })
      emulated.push(other)
      return other
    }
  })
  return { engine, emulated }
}

/** What is said is kept too. */
const keepingLines = (log: NodeLog, lines: RecentLines): NodeLog => ({
  ...log,
  say: (text, level, facts) => {
    lines.add(text, level, facts)
    log.say(text, level, facts)
  }
})

interface NodeRun {
  readonly config: NodeConfig
  readonly load: (() => Promise<NodeConfig>) | undefined
  readonly log: NodeLog
  /** Of the log, for a page. */
  readonly lines: RecentLines
  readonly own: Engine
  /** Its lanes, where it stands for another device's. */
  readonly emulated: readonly EmulatedEngine[]
}

const runDevice = async ({ config, load, log, lines, own, emulated }: NodeRun): Promise<void> => {
  const { options } = config
  using hangup = load === undefined ? undefined : onHangup()
  const folder = stateFolderOf(options.name, options.state)
  const spec = await ioSpecOf(options)
  const stamps = await modelStamps(options.models) // before the device reads them
  const orders = options.controlled ? takeOrders(log) : undefined
  await using trace = await traceOf(options, log)
  await using metrics = await openMetrics(options, log)
  await using tracing = await openNodeTracing(options, log)
  const observers = [trace?.observer, metrics?.observer, tracing?.spans.observer].filter(
    observer => observer !== undefined
  )
  let reloader: Reloader | undefined
  const described = await deviceOptions(options, folder, spec, log)
  await using opened = await openDevice(
    {
      ...described,
      engine: own,
      observe: observeAll(observers),
      tracer: tracing?.spans,
      ...(trace === undefined ? {} : { troubles: () => trace.troubles() }),
      ...(orders === undefined ? {} : { begun: orders.begun }),
      leave: () => leave.ask(),
      rested: trimAtRest(systemClock),
      ...(load === undefined ? {} : { reload: async () => JSON.stringify(await reloader?.reload()) })
    },
    log
  )
  const { device, cluster } = opened
  metrics?.watch(device)
  orders?.obey({
    engines: emulated,
    links: options.links,
    join: address => cluster.network.join(address),
    stopAdapting: () => device.stopAdapting()
  })
  const leave = untilToldToStop(options, log)
  try {
    const results = new RecentResults(systemClock)
    const settled = options.dashboard === undefined ? undefined : results.note.bind(results)
    const changes = new PageSources(load ?? (async () => config), async () => reloader?.reload())
    const mayChange = load !== undefined || mayAct(options)
    const sources = await sourcesOf({ device, folder, log, settled, gate: orders?.gate }, mayChange, options, spec)
    if (mayChange && sources !== undefined)
      reloader = new Reloader({ device, sources, folder, log, config, stamps, load: () => changes.config() })
    const start: Start = { isOver: false }
    const hasStarted = (): boolean => start.isOver
    await using serving = await openNodeServing({
      options,
      opened,
      folder,
      own: described.models,
      spec,
      tracer: tracing?.spans,
      ...{ log, hasStarted, answered: metrics?.answered, metrics: metrics?.route }
    })
    const route = metrics?.route
    await using _dashboard = await openNodeDashboard({
      ...{ options, device, log, lines, results, metrics: route },
      ...{ invite: () => cluster.invite(), sources: changes }
    })
    await untilStopped({ options, opened, log, leave, hangup, reloader, serving, start }, sources)
  } finally {
    await device.stop({ patience: seconds(0) })
    leave.forget()
  }
}

/** Somebody with the token may do something on its page. */
const mayAct = ({ dashboard, serving }: NodeOptions): boolean =>
  dashboard !== undefined && serving.tokenFile !== undefined

interface RunningNode {
  readonly options: NodeOptions
  readonly opened: OpenedDevice
  readonly log: NodeLog
  readonly leave: Leave
  readonly hangup: Hangup | undefined
  readonly reloader: Reloader | undefined
  readonly serving: Serving | undefined
  readonly start: Start
}

interface Start {
  isOver: boolean
}

/** Seconds in which those who wait for an answer get it. */
const ANSWERING = 5

const untilStopped = async (running: RunningNode, sources: NodeSources | undefined): Promise<void> => {
  const { options, opened, log, leave, hangup, reloader, serving, start } = running
  const { device, cluster, guard } = opened
  const over = new AbortController()
  const started = device.start()
  const reload = (): void => void started.then(() => reloader?.reload()).catch(() => {}) // it says itself what is wrong
  hangup?.obey(reload, leave.ask)
  try {
    if (!(await leave.unlessAsked(started))) return
    start.isOver = true
    await cluster.announce()
    trimHeap()
    await Promise.race([
      leave.asked,
      cluster.shut.then(error => Promise.reject(error)),
      untilEnded(device, options, log, exitWith, reloader),
      reporting(device, options, log, guard, over.signal)
    ])
    if (options.jsonEvents) log.event({ event: 'status', status: device.status() })
    if (options.json) process.stdout.write(`${JSON.stringify(device.status())}\n`)
  } finally {
    over.abort()
    await serving?.stop(seconds(leave.hurry() ? 0 : ANSWERING))
    await device.stop({ patience: seconds(leave.hurry() ? 0 : 5) })
    await sources?.stop()
    if (leave.isAsked() && options.exitWhenDone && device.ownSources().some(({ state }) => state !== 'done'))
      process.exitCode ??= 130
  }
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

/** What reads images and keeps sinks is loaded only where there is a source, or may be one. */
const sourcesOf = async (
  parts: NodeSourcesParts,
  mayChange: boolean,
  options: NodeOptions,
  spec: IoSpec | undefined
): Promise<NodeSources | undefined> => {
  if (options.sources.length === 0 && !mayChange) return undefined
  const { NodeSources: Own } = await import('./node-sources.ts')
  const own = new Own(parts)
  await (await own.prepare(options, spec)).commit()
  return own
}

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
