import type { JobGuard } from '../../core/job-guard.ts'
import { createRng } from '../../core/rng.ts'
import { seconds } from '../../core/units.ts'
import { TributaryError } from '../../core/user-error.ts'
import { EmulatedEngine } from '../../emulation/emulated-engine.ts'
import { openDevice } from '../../node/open-device.ts'
import type { Device } from '../../runtime/device/device.ts'
import { createEngine } from '../../runtime/engine/create-engine.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import type { Engine } from '../../runtime/ports/engine.ts'
import { type StateFolder, stateFolderOf } from '../../runtime/state/state-folder.ts'
import { machineTimeOffset, systemClock } from '../../runtime/system-clock.ts'
import { withFlags } from '../with-flags.ts'
import { deviceOptions } from './device-options.ts'
import { endProcess } from './end-process.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import { openNodeLog } from './open-node-log.ts'
import { takeOrders } from './take-orders.ts'
import type { TraceFile } from './trace-file.ts'
import { trimHeap } from './trim-heap.ts'
import { untilEnded } from './until-ended.ts'
import { untilToldToStop } from './until-told-to-stop.ts'

const exitWith = (code: number): void => {
  process.exitCode = code
}

/** Runs a device until it is told to stop, or has nothing left to do where that is asked for. */
export const runNode = async (options: NodeOptions): Promise<void> => {
  using log = openNodeLog(options)
  await using own = createEngine({ threads: options.threads, group: options.laneGroup })
  try {
    await runDevice(options, log, own)
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
