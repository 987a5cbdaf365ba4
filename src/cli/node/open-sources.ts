import { createArrivals } from '../../core/arrivals.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import type { Rng } from '../../core/rng.ts'
import type { TensorSpec } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { withGiven } from '../../model/input-shapes.ts'
import type { Device } from '../../runtime/device/device.ts'
import type { LogLevel } from '../../runtime/device/log-level.ts'
import { SourceRunner, sourceIdOf } from '../../runtime/device/source-runner.ts'
import { createDataPort } from '../../runtime/io/create-data-port.ts'
import { createSyntheticPort } from '../../runtime/io/create-synthetic-port.ts'
import type { FileItem } from '../../runtime/io/file-item.ts'
import type { FolderPort } from '../../runtime/io/folder-port.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import { listItems } from '../../runtime/io/list-items.ts'
import { refuseMisfits } from '../../runtime/io/refuse-misfits.ts'
import { parseSourceSpec, type SourceSpec } from '../../runtime/io/source-spec.ts'
import type { DeviceObserver } from '../../runtime/ports/device-observer.ts'
import { ItemUnavailable } from '../../runtime/ports/item-unavailable.ts'
import { identityOf, openSinks, resultsFolderOf } from '../../runtime/sink/open-sinks.ts'
import { itemsFile, type SourceItems, sourceItems } from '../../runtime/sink/source-items.ts'
import type { StateFolder } from '../../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import { refuseAlike } from './refuse-alike.ts'
import { shapesFor } from './shapes-for.ts'

const LIST_AGAIN: Seconds = seconds(0.5)

/**
 * Open the sink and add every source to the device. @returns how to close the sink
 * @throws UserError for a bad specification, an empty folder, a sink that cannot be written
 */
export const openSources = async (
  options: NodeOptions,
  folder: StateFolder,
  device: Device,
  spec: IoSpec | undefined,
  rng: Rng,
  log: NodeLog,
  observe?: DeviceObserver
): Promise<() => Promise<void>> => {
  const { sinks } = options
  if (options.sources.length === 0 || sinks.length === 0) return async () => {}
  const specs = options.sources.map(parseSourceSpec)
  refuseAlike(specs.map(({ name }) => name))
  const say = (text: string, level?: LogLevel): void => log.say(text, level)
  for (const { folder: path, synthetic } of specs) if (synthetic === undefined) await listItems(path) // a missing folder is said before anything starts
  const sink = await openSinks({
    specs: sinks,
    sources: new Map(specs.map(({ name }) => [name, sourceIdOf(name, options.name)])),
    stateFolder: folder.sources,
    clock: systemClock,
    say
  })
  for (const source of specs) {
    const id = sourceIdOf(source.name, options.name)
    const openItems = async (port: FolderPort): Promise<SourceItems> => {
      const { name, folder: path, count } = source
      const items = await listPatiently(port, source, say)
      const numbered = await sourceItems({
        source: id,
        folder: path,
        items,
        recorded: sink.recorded(id),
        stamp: item => port.stamp(item),
        count,
        sink: identityOf(sinks),
        areMadeUp: source.synthetic !== undefined,
        stateFolder: folder.sources
      })
      const before = numbered.total - numbered.todo.length - numbered.away.length
      if (before > 0)
        say(`source ${name}: ${before} of ${numbered.total} are in the sink already; going on with the rest`)
      if (numbered.left > 0 && source.synthetic === undefined)
        say(
          `source ${name}: ${numbered.left} items of earlier runs with another folder or sink have no result and are not in ${path}; they are not waited for`,
          'warn'
        )
      if (numbered.away.length > 0)
        say(
          `source ${name}: ${describeAway(numbered, path)} waited for; where they are gone for good, remove ${itemsFile(folder.sources, id)}`,
          'warn'
        )
      return numbered
    }
    /** Something that came of the folder before shows that what reads it fits. */
    const checkItems = async (port: FolderPort): Promise<void> => {
      if (sink.counts(id).results > 0) return
      const { origin } = spec!
      const items = await port.list(source.folder).catch(ifAway)
      await refuseMisfits({ port, items, origin, folder: source.folder, now: wallTime() })
    }
    await device.addSource(
      new SourceRunner({
        spec: source,
        deviceName: options.name,
        clock: systemClock,
        wallTime,
        view: device.view,
        sink,
        openItems,
        ...(source.synthetic === undefined ? { checkItems } : {}),
        createPort: manifest =>
          source.synthetic === undefined
            ? createDataPort({
                spec: spec!,
                inputs: manifest.inputs,
                outputs: manifest.activations.at(-1)!.tensors,
                resultsFolder: resultsFolderOf(sinks, source.name)
              })
            : createSyntheticPort(
                source.synthetic,
                madeUpInputs(manifest, options),
                rng.fork(`data of ${source.name}`),
                options.activationEncoding !== 'fp32'
              ),
        availableAt: createArrivals(source.arrivals, rng.fork(source.name)),
        breaker: device.breaker,
        submit: device.submit,
        isHere: device.isHere,
        setAside: device.setAside,
        cancel: device.cancel,
        ...(observe === undefined ? {} : { observe }),
        say
      })
    )
  }
  return () => sink.stop()
}

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
