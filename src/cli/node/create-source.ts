import { createArrivals } from '../../core/arrivals.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { createRng, type Rng } from '../../core/rng.ts'
import type { TensorSpec } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { withGiven } from '../../model/input-shapes.ts'
import type { Device } from '../../runtime/device/device.ts'
import { SourceRunner, type SourceRunnerParts, sourceIdOf } from '../../runtime/device/source-runner.ts'
import { createDataPort, type DataPortOptions } from '../../runtime/io/create-data-port.ts'
import { createLivePort } from '../../runtime/io/create-live-port.ts'
import { createSyntheticPort } from '../../runtime/io/create-synthetic-port.ts'
import type { FileItem } from '../../runtime/io/file-item.ts'
import type { FolderPort } from '../../runtime/io/folder-port.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import { refuseMisfits } from '../../runtime/io/refuse-misfits.ts'
import { isLiveKind, type SourceSpec } from '../../runtime/io/source-spec.ts'
import type { DataPort, Item } from '../../runtime/ports/data-port.ts'
import { ItemUnavailable } from '../../runtime/ports/item-unavailable.ts'
import type { Sink } from '../../runtime/ports/sink.ts'
import type { SinkEntry } from '../../runtime/ports/sink-entry.ts'
import { identityOf, resultsFolderOf } from '../../runtime/sink/open-branch.ts'
import type { SinkSpec } from '../../runtime/sink/sink-spec.ts'
import { itemsFile, type SourceItems, sourceItems } from '../../runtime/sink/source-items.ts'
import type { StateFolder } from '../../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import { createFeed } from '../../sources/create-feed.ts'
import { openLiveSource } from '../../sources/open-live-source.ts'
import type { AdmissionGate } from './admission-gate.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import { shapesFor } from './shapes-for.ts'

const LIST_AGAIN: Seconds = seconds(0.5)

/** Told what a datum was made of and what became of it. */
export type Settled = (item: Item, entry: SinkEntry) => void

export interface SourceParts {
  readonly options: NodeOptions
  readonly folder: StateFolder
  readonly device: Device
  /** How files become tensors; undefined where no source has files. */
  readonly spec: IoSpec | undefined
  readonly log: NodeLog
  readonly settled?: Settled | undefined
  readonly gate?: AdmissionGate | undefined
  /** What it writes to. */
  readonly sinks: readonly SinkSpec[]
  readonly sink: Sink
}

type Said = SourceRunnerParts['say']

export interface CreatedSource {
  readonly runner: SourceRunner
  /** When nothing of it settles any more. */
  close(): Promise<void>
}

/** A source as flags describe it; nothing of it has begun. */
export const createSource = (source: SourceSpec, parts: SourceParts): CreatedSource => {
  const { options, device, log, sink, settled } = parts
  const say: Said = (text, level, facts) => log.say(text, level, facts)
  const { close = async () => {}, ...own } = isLiveKind(source.kind)
    ? liveParts(source, parts, () => runner)
    : listedParts(source, parts, say)
  const runner: SourceRunner = new SourceRunner({
    ...{ ...own, spec: source, deviceName: options.name, clock: systemClock, wallTime, view: device.view, sink, say },
    ...{
      breaker: device.breaker,
      submit: device.submit,
      isHere: device.isHere,
      setAside: device.setAside,
      full: device.full
    },
    cancel: device.cancel,
    stretch: device.stretch,
    settled: (datum, item, entry) => {
      own.settled?.(datum, item, entry)
      settled?.(item, entry)
    },
    observe: device.observer,
    tracer: device.tracer
  })
  return { runner, close }
}

type OwnParts = Pick<
  SourceRunnerParts,
  'openItems' | 'checkItems' | 'createPort' | 'availableAt' | 'isLive' | 'settled'
> & { readonly close?: () => Promise<void> }

/** Of one whose items are there, or made up. */
const listedParts = (source: SourceSpec, parts: SourceParts, say: Said): OwnParts => {
  const rng = createRng(parts.options.seed)
  return {
    openItems: async port => {
      const items = await openItems(port as FolderPort, source, parts, say)
      return parts.gate?.isUsed === true ? { ...items, todo: parts.gate.through(items.todo) } : items
    },
    ...(source.synthetic === undefined
      ? { checkItems: (port: DataPort) => checkItems(port as FolderPort, source, parts) }
      : {}),
    createPort: manifest => createPort(manifest, source, parts, rng),
    availableAt: createArrivals(source.arrivals, rng.fork(source.name))
  }
}

/** Of one whose items come by themselves. */
const liveParts = (source: SourceSpec, parts: SourceParts, runner: () => SourceRunner): OwnParts => {
  const { options, folder, spec, sinks, sink, log } = parts
  const id = sourceIdOf(source.name, options.name)
  const say: Said = (text, level) => log.say(`source ${source.name}: ${text}`, level)
  const has = (datum: number): boolean => sink.has(id, datum)
  return {
    ...openLiveSource({
      ...{
        id,
        terms: source,
        count: source.count,
        sink,
        sinkName: identityOf(sinks),
        folder: folder.sources,
        runner,
        say
      },
      createFeed: () => createFeed({ spec: source, id, stateFolder: folder.sources, has, say })
    }),
    createPort: manifest => {
      const needed = new Set(manifest.activations[0]!.tensors.map(({ name }) => name))
      return createLivePort(portOptions(manifest, source.name, spec!, sinks), needed)
    },
    availableAt: undefined
  }
}

const portOptions = (
  { inputs, activations }: ModelManifest,
  source: string,
  spec: IoSpec,
  sinks: readonly SinkSpec[]
): DataPortOptions => ({
  ...{ spec, inputs, outputs: activations.at(-1)!.tensors },
  resultsFolder: resultsFolderOf(sinks, source)
})

const openItems = async (
  port: FolderPort,
  source: SourceSpec,
  { options, folder, sinks, sink }: SourceParts,
  say: Said
): Promise<SourceItems> => {
  const { name, folder: path, count } = source
  const id = sourceIdOf(name, options.name)
  const items = await sourceItems({
    source: id,
    folder: path,
    items: await listPatiently(port, source, say),
    recorded: sink.recorded(id),
    stamp: item => port.stamp(item),
    count,
    sink: identityOf(sinks),
    areMadeUp: source.synthetic !== undefined,
    stateFolder: folder.sources
  })
  sayBefore(items, source, itemsFile(folder.sources, id), say)
  return items
}

/** What earlier runs did, and what they left. */
const sayBefore = (items: SourceItems, { name, folder, synthetic }: SourceSpec, file: string, say: Said): void => {
  const { total, todo, away, left } = items
  const before = total - todo.length - away.length
  if (before > 0) say(`source ${name}: ${before} of ${total} are in the sink already; going on with the rest`)
  if (left > 0 && synthetic === undefined)
    say(
      `source ${name}: ${left} items of earlier runs with another folder or sink have no result and are not in ${folder}; they are not waited for`,
      'warn'
    )
  if (away.length > 0)
    say(
      `source ${name}: ${describeAway(items, folder)} waited for; where they are gone for good, remove ${file}`,
      'warn'
    )
}

/** Something that came of the folder before shows that what reads it fits. */
const checkItems = async (
  port: FolderPort,
  { name, folder }: SourceSpec,
  { options, spec, sink }: SourceParts
): Promise<void> => {
  if (sink.counts(sourceIdOf(name, options.name)).results > 0) return
  const items = await port.list(folder).catch(ifAway)
  await refuseMisfits({ port, items, origin: spec!.origin, folder, now: wallTime() })
}

const createPort = (
  manifest: ModelManifest,
  { name, synthetic }: SourceSpec,
  { options, spec, sinks }: SourceParts,
  rng: Rng
): FolderPort =>
  synthetic === undefined
    ? createDataPort(portOptions(manifest, name, spec!, sinks))
    : createSyntheticPort(
        synthetic,
        madeUpInputs(manifest, options),
        rng.fork(`data of ${name}`),
        options.activationEncoding !== 'fp32'
      )

const MOST_NAMED = 5

const describeAway = ({ away }: SourceItems, folder: string): string => {
  const named = away.slice(0, MOST_NAMED).map(({ item }) => item.name)
  const rest = away.length > MOST_NAMED ? ` and ${away.length - MOST_NAMED} more` : ''
  const one = away.length === 1
  return `${named.join(', ')}${rest} of earlier runs ${one ? 'has' : 'have'} no result and ${one ? 'is' : 'are'} not in ${folder} now:`
}

/** A folder that is away says nothing of what is in it. */
const ifAway = (error: unknown): readonly FileItem[] => {
  if (error instanceof ItemUnavailable) return []
  throw error
}

/** The folder was there when the device started; that it is away a little later (a share that is mounted again) passes. */
const listPatiently = async (
  port: FolderPort,
  { name, folder, patience }: SourceSpec,
  say: (text: string, level?: 'warn') => void
): Promise<readonly FileItem[]> => {
  const begun = systemClock.now()
  for (let tries = 0; ; tries++) {
    try {
      return await port.list(folder, text => say(`source ${name}: ${text}`))
    } catch (error) {
      if (!(error instanceof ItemUnavailable) || systemClock.now() - begun > patience) throw error
      if (tries === 0) say(`source ${name}: ${error.message}; tried again`, 'warn')
    }
    await systemClock.sleep(LIST_AGAIN)
  }
}

/**
 * The inputs as a source makes them up: as `--shape` says here, of dimensions that share a name too; else as the owner cut
 * the model.
 */
const madeUpInputs = ({ name, inputs, activations }: ModelManifest, options: NodeOptions): readonly TensorSpec[] => {
  const given = shapesFor(name, options)
  const cut = new Map(activations[0]!.tensors.map(tensor => [tensor.name, tensor.shape]))
  const named = new Set(inputs.map(input => input.name))
  const own = new Map([...given].filter(([input]) => named.has(input)))
  // Inputs that no block reads need not be made.
  const read = inputs.filter(input => cut.has(input.name))
  return withGiven(`model ${name}`, read, own).map(({ shape = [] }, i) => {
    const input = read[i]!
    const isKnown = own.has(input.name) || (shape.length > 0 && shape.every(d => typeof d === 'number'))
    return { ...input, shape: isKnown ? shape : (cut.get(input.name) ?? shape) }
  })
}
