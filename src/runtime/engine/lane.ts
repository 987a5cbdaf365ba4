/**
 * The lane: what runs in the worker thread. It keeps the sessions and does one job at a time; `InferenceSession.run`
 * blocks this thread. The main thread is `lane-thread.ts`.
 */
import { existsSync, readlinkSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { BlockHash } from '../../core/ids.ts'
import { Serial } from '../../core/serial.ts'
import { stackTensors, unstackTensors } from '../../core/stack-tensors.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { machineTimeOffset } from '../system-clock.ts'
import { LaneInputs } from './lane-inputs.ts'
import { LaneProgress } from './lane-progress.ts'
import type {
  LaneAnswers,
  LaneBlock,
  LaneGreeting,
  LaneJobKind,
  LaneJobs,
  LaneReply,
  LaneRequest,
  LaneRun,
  LaneSettings,
  MeasuredRuns
} from './lane-protocol.ts'
import { type LeastTimeOptions, leastTime, timed } from './lane-time.ts'
import { madeUpTensor } from './made-up-tensor.ts'
import { ort, ortWords, SILENT } from './onnx-runtime.ts'
import { fromOrt, isElementType, toOrt } from './ort-tensor.ts'

const port = parentPort
if (port === null) throw new Error('lane.ts runs in a worker thread only')
const { threads, group, tellsOwn, provider } = workerData as LaneSettings
/** Linux only. */
const thread = existsSync('/proc/thread-self') ? basename(readlinkSync('/proc/thread-self')) : undefined
if (group !== undefined) writeFileSync(group, thread!)
port.postMessage({ thread: thread === undefined ? undefined : Number(thread) } satisfies LaneGreeting)
const sessions = new Map<BlockHash, InferenceSession>()
const own = new LaneInputs()

const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: provider === undefined ? ['cpu'] : [{ ...provider.options, name: provider.name }, 'cpu'],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: SILENT,
  // Threads of a pool wait between runs without turning: whoever else there is needs the processor.
  extra: { session: { force_spinning_stop: '1' } }
}

/** What to add to `performance.now()` here to get the machine's monotonic time. */
const offset = 1000 * machineTimeOffset()

const sessionOf = (hash: BlockHash): InferenceSession => {
  const session = sessions.get(hash)
  if (session === undefined) throw new Error('it is not loaded')
  return session
}

/** The runtime's own memory must not count as the first block's: a session that fails starts it up. */
const started = ort.InferenceSession.create(new Uint8Array(1), SESSION_OPTIONS).catch(() => {})

const RUNS: Readonly<Record<MeasuredRuns, LeastTimeOptions>> = {
  warmUp: { patience: 0, atLeast: 1 },
  few: { patience: 250, atLeast: 1, atMost: 3, warmUps: 1 },
  many: {}
}

/** Lists of the same length, one for each datum. */
const inParts = (tensors: readonly Tensor[], count: number): readonly (readonly Tensor[])[] =>
  Array.from({ length: count }, (_, i) =>
    tensors.slice((i * tensors.length) / count, ((i + 1) * tensors.length) / count)
  )

const jobs: { readonly [K in LaneJobKind]: (job: LaneJobs[K]) => Promise<LaneAnswers[K]> } = {
  load: async ({ hash, file }) => {
    await started
    const session = await ort.InferenceSession.create(file, SESSION_OPTIONS)
    try {
      const inputs = session.inputMetadata.map(specOf)
      const outputs = session.outputMetadata.map(specOf)
      sessions.set(hash, session)
      return { inputs, outputs }
    } catch (error) {
      await session.release()
      throw error
    }
  },

  unload: async ({ hash }) => {
    const session = sessions.get(hash)
    sessions.delete(hash)
    await session?.release()
    return undefined
  },

  run: async ({ blocks, inputs, progress, data = 1 }) => {
    const given = 'shared' in inputs ? own.of(inputs.shared) : inputs
    const stacked = data === 1 ? given : stackTensors(inParts(given, data))
    const ran = await runBlocks(blocks, stacked, progress && new LaneProgress(progress))
    const outputs = data === 1 ? ran.outputs : unstackTensors(ran.outputs, data)?.flat()
    if (outputs === undefined) throw new Error(`what it makes of ${data} data is not that of so many`)
    return { inputs: 'shared' in inputs ? [] : inputs, ...ran, outputs }
  },

  measure: async ({ hash, inputs, runs }) => {
    const session = sessionOf(hash)
    const feeds = Object.fromEntries(inputs.map(input => [input.name, toOrt(madeUpTensor(input))]))
    return { least: await leastTime(() => session.run(feeds), RUNS[runs]) }
  },

  calibrate: async ({ model }) => {
    await started
    const session = await ort.InferenceSession.create(model, SESSION_OPTIONS)
    try {
      const inputs = session.inputMetadata.map(specOf)
      const feeds = Object.fromEntries(
        inputs.map(({ name, type, shape }) => [name, toOrt(madeUpTensor({ name, type, dims: shape as number[] }))])
      )
      return { least: await leastTime(() => session.run(feeds), { patience: 300, atLeast: 8 }) }
    } finally {
      await session.release()
    }
  },

  close: async () => {
    for (const session of sessions.values()) await session.release()
    sessions.clear()
    port.close() // nothing else keeps this thread alive
    return undefined
  }
}

/** Those that are to run, until one fails or somebody says that it is enough. @throws where the first fails */
const runBlocks = async (
  blocks: readonly LaneBlock[],
  given: readonly Tensor[],
  progress: LaneProgress | undefined
): Promise<Omit<LaneAnswers['run'], 'inputs'>> => {
  const here = new Map(given.map(tensor => [tensor.name, toOrt(tensor)]))
  const made = new Set<string>()
  const runs: LaneRun[] = []
  try {
    for (const { hash } of blocks) {
      if (runs.length > 0 && progress?.isHalted === true) break
      progress?.begin(runs.length)
      const session = sessionOf(hash)
      runs.push(await runOne(session, here))
      for (const name of session.outputNames) made.add(name)
    }
  } catch (error) {
    if (runs.length === 0) throw error
    return { outputs: [], runs, failed: ortWords(error) }
  }
  const { alive = made } = blocks[runs.length - 1]!
  return { outputs: [...alive].flatMap(name => (made.has(name) ? fromOrt(name, here.get(name)!) : [])), runs }
}

/** What it makes is put beside what it takes. */
const runOne = async (session: InferenceSession, here: Map<string, OrtTensor>): Promise<LaneRun> => {
  const feeds: Record<string, OrtTensor> = {}
  for (const name of session.inputNames) feeds[name] = here.get(name)!
  const start = performance.now()
  const { value, actual } = await timed(() => session.run(feeds), tellsOwn)
  const end = performance.now()
  for (const name of session.outputNames) here.set(name, value[name]!)
  return { start: start + offset, end: end + offset, actual }
}

const specOf = (metadata: InferenceSession.ValueMetadata): TensorSpec => {
  if (!metadata.isTensor) throw new Error(`"${metadata.name}" is not a tensor, so it cannot enter or leave a block`)
  const { name, type, shape } = metadata
  if (!isElementType(type))
    throw new Error(`"${name}" has elements of type ${type}, which cannot enter or leave a block`)
  return { name, type, shape: shape.map(dim => (dim === '' ? null : dim)) }
}

const buffersOf = (tensors: readonly Tensor[]): ArrayBuffer[] => tensors.map(tensor => tensor.data.buffer)

const perform = async <K extends LaneJobKind>({ id, kind, job }: LaneRequest<K>): Promise<void> => {
  try {
    const answer = await jobs[kind](job)
    const run = kind === 'run' ? (answer as LaneAnswers['run']) : undefined
    const buffers = run === undefined ? [] : [...buffersOf(run.inputs), ...buffersOf(run.outputs)]
    port.postMessage({ id, ok: true, answer } satisfies LaneReply, buffers)
  } catch (error) {
    port.postMessage({ id, ok: false, because: ortWords(error) } satisfies LaneReply)
  }
}

const serial = new Serial()
port.on('message', (request: LaneRequest) => void serial.run(() => perform(request)))
