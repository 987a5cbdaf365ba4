import { dirname } from 'node:path'
import { createArrivals } from '../../core/arrivals.ts'
import type { Rng } from '../../core/rng.ts'
import type { TensorSpec } from '../../core/tensor.ts'
import type { Device } from '../../runtime/device/device.ts'
import type { DeviceObserver } from '../../runtime/device/device-observer.ts'
import { SourceRunner, sourceIdOf } from '../../runtime/device/source-runner.ts'
import type { StateFolder } from '../../runtime/device/state-folder.ts'
import { createDataPort } from '../../runtime/io/create-data-port.ts'
import { createSyntheticPort } from '../../runtime/io/create-synthetic-port.ts'
import type { DataPort } from '../../runtime/io/data-port.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import { listItems } from '../../runtime/io/list-items.ts'
import { refuseMisfits } from '../../runtime/io/refuse-misfits.ts'
import { parseSourceSpec } from '../../runtime/io/source-spec.ts'
import { openSink } from '../../runtime/ledger/open-sink.ts'
import { type SourceItems, sourceItems } from '../../runtime/ledger/source-items.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import { shapesFor } from './shapes-for.ts'

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
  if (options.sources.length === 0 || options.sink === undefined) return async () => {}
  const specs = options.sources.map(parseSourceSpec)
  const say = (text: string): void => log.say(text)
  for (const { folder: path, synthetic } of specs) if (synthetic === undefined) await listItems(path) // a missing folder is said before anything starts
  const sink = await openSink({ file: options.sink, clock: systemClock, say })
  for (const source of specs) {
    const id = sourceIdOf(source.name, options.name)
    const openItems = async (port: DataPort): Promise<SourceItems> => {
      const { name, folder: path, count } = source
      const items = await port.list(path)
      const numbered = await sourceItems({
        source: id,
        folder: path,
        items,
        recorded: sink.recorded(id),
        count,
        stateFolder: folder.sources
      })
      const before = numbered.total - numbered.todo.length
      if (before > 0)
        say(`source ${name}: ${before} of ${numbered.total} are in the sink already; going on with the rest`)
      return numbered
    }
    /** Something that came of the folder before shows that what reads it fits. */
    const checkItems = async (port: DataPort): Promise<void> => {
      if (sink.counts(id).results > 0) return
      const { origin } = spec!
      const items = await port.list(source.folder)
      await refuseMisfits({ port, items, origin, folder: source.folder, now: wallTime() })
    }
    device.addSource(
      new SourceRunner({
        spec: source,
        deviceName: options.name,
        clock: systemClock,
        view: device.view,
        sink,
        openItems,
        ...(source.synthetic === undefined ? { checkItems } : {}),
        createPort: ({ name, inputs, activations }) =>
          source.synthetic === undefined
            ? createDataPort({
                spec: spec!,
                inputs,
                outputs: activations.at(-1)!.tensors,
                resultsFolder: `${dirname(options.sink!)}/${source.name}-results`
              })
            : createSyntheticPort(
                source.synthetic,
                withShapes(inputs, shapesFor(name, options)),
                rng.fork(`data of ${source.name}`),
                options.activationEncoding !== 'fp32'
              ),
        availableAt: createArrivals(source.arrivals, rng.fork(source.name)),
        submit: device.submit,
        cancel: device.cancel,
        ...(observe === undefined ? {} : { observe }),
        say
      })
    )
  }
  return () => sink.stop()
}

const withShapes = (
  inputs: readonly TensorSpec[],
  shapes: ReadonlyMap<string, readonly number[]>
): readonly TensorSpec[] => inputs.map(input => ({ ...input, shape: shapes.get(input.name) ?? input.shape }))
