import { blockHash, deviceId, modelId } from '../core/ids.ts'
import type { ModelManifest } from '../core/manifest.ts'
import { createRng } from '../core/rng.ts'
import type { Tensor } from '../core/tensor.ts'
import { bytes, seconds } from '../core/units.ts'
import { proportionalPlacement } from '../planner/proportional-placement.ts'
import { createDevice, type Device, type DeviceParts } from '../runtime/device/device.ts'
import type { LineFacts } from '../runtime/device/line-facts.ts'
import type { OwnedModel } from '../runtime/device/owned-model.ts'
import { SourceRunner } from '../runtime/device/source-runner.ts'
import type { DeviceState } from '../runtime/generated/tributary/v1/wire_pb.ts'
import { portableHash } from '../runtime/hash/portable-hash.ts'
import type { Engine } from '../runtime/ports/engine.ts'
import type { Network } from '../runtime/ports/network.ts'
import { NotWritten } from '../runtime/ports/not-written.ts'
import type { Sink } from '../runtime/ports/sink.ts'
import type { SinkEntry } from '../runtime/ports/sink-entry.ts'
import { RecordedData, recordedKindOf } from '../runtime/sink/recorded-data.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'
import { memorySigner } from './simulated/memory-signer.ts'
import { seededRandom } from './simulated/seeded-random.ts'

export interface LoneDevice {
  readonly device: Device
  readonly clock: ManualClock
  readonly network: Network
  readonly engine: Engine
  readonly said: readonly string[]
  readonly events: readonly { readonly event: string; readonly [key: string]: unknown }[]
  /** What it told the others of itself. */
  readonly states: readonly DeviceState[]
  /** Of its network and engine, in order. */
  readonly stops: readonly string[]
}

/** The real device, alone in its cluster, on a manual clock, an engine whose blocks add 1, and no network. */
export const loneDevice = (parts: Partial<DeviceParts> = {}): LoneDevice => {
  const clock = createManualClock()
  const said: string[] = []
  const events: { readonly event: string }[] = []
  const states: DeviceState[] = []
  const stops: string[] = []
  const network = parts.network ?? emptyNetwork(states, stops)
  const engine = parts.engine ?? countingEngine(clock, stops)
  const device = createDevice({
    ...{ name: 'porch', clock, network, engine, models: [], incarnation: 1, emulated: false },
    blobs: {
      find: async hash => `/nowhere/${hash}`,
      put: async hash => `/nowhere/${hash}`,
      remove: async () => {}
    },
    random: seededRandom(createRng('lone')),
    hash: portableHash,
    signer: memorySigner(network.self),
    createPolicy: POLICIES.confluence,
    place: async problem => proportionalPlacement(problem),
    memory: bytes(Number.POSITIVE_INFINITY),
    prepareModel: async ({ name, file }) => countingModel(name, Number(file)),
    say: text => said.push(text),
    event: event => events.push(event),
    ...parts
  })
  return { device, clock, network, engine, said, events, states, stops }
}

const SPEC = { name: 'x', type: 'float32', shape: [1] } as const

/** Its result is its input plus the number of its blocks. */
export const countingModel = (name: string, blocks: number): ModelManifest => ({
  ...{ id: modelId(`${blocks} blocks`), name, sha256: `file ${blocks}`, inputs: [SPEC], outputs: ['x'] },
  blocks: Array.from({ length: blocks }, (_, k) => ({
    ...{ sha256: blockHash(`${blocks} blocks, ${k}`), bytes: bytes(1000), flops: 1000, work: seconds(0.01) }
  })),
  activations: Array.from({ length: blocks + 1 }, () => ({ bytes: bytes(4), tensors: [SPEC] }))
})

/** For `loneDevice`: a model of so many blocks. */
export const ownedCounting = (name: string, blocks: number): OwnedModel => ({ name, file: String(blocks) })

const countingEngine = (clock: ManualClock, stops: string[]): Engine => ({
  load: async () => ({ inputs: [SPEC], outputs: [SPEC] }),
  unload: async () => {},
  run: async (_, inputs) => {
    const start = clock.now()
    await clock.sleep(seconds(0.01))
    const [x] = inputs
    const data = new Uint8Array(Float32Array.of(numberIn(x!) + 1).buffer)
    const outputs = [{ ...x!, data }]
    return { outputs, inputs, start, end: clock.now(), took: seconds(0.01), own: seconds(0.01), late: seconds(0) }
  },
  measure: async () => seconds(0.01),
  calibrate: async () => 1,
  stop: async () => {
    stops.push('engine')
  },
  [Symbol.asyncDispose]: async () => {}
})

const emptyNetwork = (states: DeviceState[], stops: string[]): Network => ({
  self: deviceId('porch-id'),
  life: 1n,
  addresses: () => [],
  peers: () => new Map(),
  start: async () => {},
  stop: async () => {
    stops.push('network')
  },
  join: () => {},
  acquaintances: () => new Map(),
  sendTask: () => {
    throw new Error('nobody is there')
  },
  request: () => Promise.reject(new Error('nobody is there')),
  notify: () => {},
  publishState: state => states.push(state),
  fetchBlob: () => Promise.reject(new Error('nobody is there')),
  link: () => undefined,
  counters: () => ({ refusedPeers: 0, malformedFrames: 0, oversizedFrames: 0, refusedTasks: 0 }),
  [Symbol.asyncDispose]: async () => {}
})

const numberIn = ({ data }: Tensor): number => new Float32Array(data.buffer)[0]!

export interface MemorySink extends Sink {
  readonly lines: readonly SinkEntry[]
}

/** @param write may refuse */
export const memorySink = (write: (entry: SinkEntry) => void = () => {}): MemorySink => {
  const lines: SinkEntry[] = []
  const known = new RecordedData()
  let isStopped = false
  const stop = async (): Promise<void> => {
    isStopped = true
  }
  return {
    name: 'memory',
    lines,
    recorded: source => known.of(source),
    has: (source, datum) => known.has(source, datum),
    counts: source => known.counts(source),
    state: () => ({ kind: isStopped ? 'stopped' : 'open' }),
    write: async (entry, stamp) => {
      if (isStopped) throw new NotWritten('memory: was stopped')
      if (known.knows(entry)) return 'duplicate'
      write(entry)
      lines.push(entry)
      const { source, datum, item } = entry
      known.put(source, datum, { item, kind: recordedKindOf(entry), ...(stamp === undefined ? {} : { stamp }) })
      return 'written'
    },
    stop,
    [Symbol.asyncDispose]: stop
  }
}

/** A real source of the numbers 0, 10, 20 ...; its results are numbers. */
export const numberSource = (
  { device, clock, said }: LoneDevice,
  name: string,
  { model, count, sink, every }: { model?: string; count: number; sink: Sink; every?: number }
): SourceRunner => {
  const pace = every === undefined ? undefined : (datum: number) => seconds(datum * every)
  return new SourceRunner({
    spec: {
      ...{ name, folder: '', synthetic: count, model, window: 4, arrivals: { kind: 'saturated' }, count: undefined },
      ...{ weight: 1, start: seconds(0), patience: seconds(0) }
    },
    ...{ deviceName: 'porch', clock, wallTime: () => clock.now(), view: device.view, sink, availableAt: pace },
    openItems: async () => ({
      todo: Array.from({ length: count }, (_, datum) => ({ datum, item: { name: `${10 * datum}`, path: '' } })),
      ...{ total: count, away: [], left: 0 }
    }),
    createPort: () => ({
      list: async () => [],
      read: async ({ name: number }) => [
        { name: 'x', type: 'float32', dims: [1], data: new Uint8Array(Float32Array.of(Number(number)).buffer) }
      ],
      stamp: async () => ({ id: '', modified: seconds(0) }),
      write: async (_, outputs) => numberIn(outputs[0]!),
      exampleInputs: () => []
    }),
    ...{
      breaker: device.breaker,
      submit: device.submit,
      isHere: device.isHere,
      setAside: device.setAside,
      full: device.full
    },
    ...{
      cancel: device.cancel,
      observe: device.observer,
      tracer: device.tracer,
      // With the trace of the datum that it speaks of.
      say: (text: string, _?: string, { traceId }: LineFacts = {}) =>
        (said as string[]).push(traceId === undefined ? text : `${text} [${traceId}]`)
    }
  })
}

export const resultsIn = (sink: MemorySink, source: string): readonly unknown[] =>
  sink.lines.flatMap(line => (line.source === source && 'result' in line ? [line.result] : []))
