import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { NoAnswerError } from '../../core/user-error.ts'
import { createClusterKey, writeClusterKey } from '../../runtime/network/cluster-key.ts'
import type { NodeOrder } from '../node/take-orders.ts'
import { DEMO_BLOCKS, DEMO_SHAPE } from './declared-times.ts'
import type { DemoDevice } from './demo-cluster.ts'
import { type DeviceProcess, type NodeEvent, startDevice } from './device-process.ts'

/** How long the devices may take to find each other, share the model's blocks and load them. */
const START_PATIENCE: Seconds = seconds(60)

export interface ClusterOptions {
  /** State, sinks and logs go there; devices that have been there before go on with what they left. */
  readonly folder: string
  /** The model that every source uses; the first source device owns it, the others are sent its blocks. */
  readonly modelFile: string
  readonly policy: string
  readonly activationEncoding: EncodingChoice
  readonly devices: readonly DemoDevice[]
  /** What tells a device of its source: flags of `tributary node`. */
  readonly sourceFlags: (device: DemoDevice) => readonly string[]
  /** Of each block at speed 1: a block takes so long, divided by a device's speed, whatever it would take here. */
  readonly work: readonly Seconds[]
  /** False where a policy is shown although some device is too small for it. */
  readonly limitMemory: boolean
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onEvent: (device: string, event: NodeEvent) => void
}

export interface Cluster extends AsyncDisposable {
  readonly devices: ReadonlyMap<string, DeviceProcess>
  /** Resolves when every source device has said `name`; rejects when a device ends before, or after `patience`. */
  allSources(name: string, patience: Seconds): Promise<void>
  /** As long as no device ends; no longer than `patience`. */
  during<T>(what: Promise<T>, patience: Seconds): Promise<T>
  /** All sources begin; not before they are ready. */
  begin(): void
  /** How many of its data a source may have begun with, by its name, which is its device's. */
  admit(counts: ReadonlyMap<string, number>): void
  stop(): Promise<void>
}

export const sinkOf = (folder: string, source: string): string => join(folder, `${source}.jsonl`)

/** Start the devices, each a process; they are connected but perhaps not ready when this resolves. The first that is no source begins. */
export const startCluster = async (options: ClusterOptions): Promise<Cluster> => {
  await mkdir(options.folder, { recursive: true })
  const devices = new Map<string, DeviceProcess>()
  const said = new EventBook()
  // In a file, not among the arguments of processes, which every user of the machine can read.
  const keyFile = join(options.folder, 'cluster.key')
  if (!existsSync(keyFile)) await writeClusterKey(keyFile, createClusterKey())
  const start = (device: DemoDevice, addresses: readonly string[]): void => {
    const process = startDevice({
      name: device.name,
      flags: [...flagsOf(device, options), '--cluster-key', keyFile, ...addresses.flatMap(to => ['--join', to])],
      logFile: join(options.folder, `${device.name}.log`),
      clock: options.clock,
      onEvent: event => {
        said.note(device.name, event)
        options.onEvent(device.name, event)
      }
    })
    devices.set(device.name, process)
  }
  const wait = <T>(what: Promise<T>, patience: Seconds): Promise<T> =>
    orFail(what, [...devices.values()], patience, options)
  const orderAll = (order: NodeOrder): void => {
    for (const device of devices.values()) device.order(order)
  }
  const cluster: Cluster = {
    devices,
    allSources: (name, patience) => {
      const sources = options.devices.filter(device => device.source)
      return wait(Promise.all(sources.map(device => said.first(device.name, name))), patience).then(() => {})
    },
    during: wait,
    begin: () => orderAll({ start: 0 }),
    admit: counts => {
      for (const [name, count] of counts) devices.get(name)!.order({ admit: count } satisfies NodeOrder)
    },
    ...stopOnce(async () => {
      await Promise.all([...devices.values()].map(device => device.stop()))
    })
  }
  try {
    // A worker begins the cluster: it listens at once, while the owner of the model cuts it first.
    const founder = options.devices.find(device => !device.source)!
    start(founder, [])
    const { addresses } = await wait(said.first(founder.name, 'listening'), START_PATIENCE)
    for (const device of options.devices) if (device !== founder) start(device, addresses as readonly string[])
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

const flagsOf = (device: DemoDevice, options: ClusterOptions): string[] => {
  const { name, speed, memory, link, source } = device
  const owner = options.devices.find(each => each.source)
  return [
    ...['--listen', '127.0.0.1:0', '--no-mdns', '--state', join(options.folder, name)],
    ...['--speed', String(speed), '--emulate-link', `*=${link.rate},${link.latency}`, '--threads', '1'],
    ...['--activation-encoding', options.activationEncoding],
    ...['--policy', options.policy, '--json-events', '--exit-with-parent', '--controlled'],
    ...(options.limitMemory ? ['--memory', `${memory}B`] : []),
    ...(device === owner ? modelFlags(options) : []),
    ...(source ? [...options.sourceFlags(device), '--preset', 'ppocr-rec'] : []),
    ...(source ? ['--sink', sinkOf(options.folder, name)] : []),
    ...['--start-when', String(options.devices.length)]
  ]
}

const modelFlags = ({ modelFile, work }: ClusterOptions): string[] => [
  ...['--model', `${modelFile}:ocr`, '--blocks', `ocr=${DEMO_BLOCKS}`, '--shape', `ocr:${DEMO_SHAPE}`],
  ...['--work', `ocr=${work.map(time => `${time}s`).join(',')}`]
]

/** Who said what, and who waits for it. */
class EventBook {
  readonly #said = new Map<string, NodeEvent>()
  readonly #waiting = new Map<string, (event: NodeEvent) => void>()

  note(device: string, event: NodeEvent): void {
    const key = `${device} ${event.event}`
    if (!this.#said.has(key)) this.#said.set(key, event)
    this.#waiting.get(key)?.(event)
    this.#waiting.delete(key)
  }

  /** The first such event, past or to come. Asked for once each. */
  first(device: string, name: string): Promise<NodeEvent> {
    const key = `${device} ${name}`
    const past = this.#said.get(key)
    return past === undefined ? new Promise(resolve => this.#waiting.set(key, resolve)) : Promise.resolve(past)
  }
}

/** `what`, unless a device ends that nobody asked to, it takes longer than `patience`, or the signal aborts. */
const orFail = async <T>(
  what: Promise<T>,
  devices: readonly DeviceProcess[],
  patience: Seconds,
  { clock, signal, folder }: Pick<ClusterOptions, 'clock' | 'signal' | 'folder'>
): Promise<T> => {
  const over = new AbortController()
  const ends = devices.map(async device => {
    const how = await device.ended
    if (device.expectedToEnd()) return new Promise<never>(() => {})
    throw new NoAnswerError(`${device.name} ended by itself (${how}). Its last words:\n${device.lastWords(12)}`)
  })
  const late = clock.sleep(patience, { signal: AbortSignal.any([signal, over.signal]) }).then(() => {
    const words = devices.map(device => `${device.name}:\n${device.lastWords(4)}`).join('\n')
    throw new NoAnswerError(
      `the devices took longer than ${patience} s (logs in ${folder}). Their last words:\n${words}`
    )
  })
  try {
    return await Promise.race([what, late, ...ends])
  } finally {
    over.abort()
    for (const pending of [late, ...ends]) pending.catch(() => {})
  }
}
