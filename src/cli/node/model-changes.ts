import type { Device } from '../../runtime/device/device.ts'
import type { OnnxModel } from '../../runtime/onnx/onnx-model.ts'
import type { ModelStamps } from './model-stamps.ts'

/** What the models of this device are to become. Names. */
export interface ModelsChange {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
  /** New ones are there, changed ones are as they are to be; where a file was only touched, its model is not `changed` after it. @throws UserError when one cannot be served: all is as before then */
  commit(): Promise<void>
  /** After `commit`: those that are wanted no more are gone. */
  remove(): Promise<void>
  /** After `commit`, instead of `remove`: all is as before. */
  undo(): Promise<void>
}

/**
 * From some models of a device to others.
 * @param stamps what their files looked like, and look like now: another content at the same path is a change
 */
export const modelChanges = (
  device: Pick<Device, 'addModel' | 'updateModel' | 'removeModel'>,
  before: readonly OnnxModel[],
  after: readonly OnnxModel[],
  stamps: { readonly before: ModelStamps; readonly after: ModelStamps } = { before: new Map(), after: new Map() }
): ModelsChange => {
  const old = new Map(before.map(model => [model.name, model]))
  const added = after.filter(({ name }) => !old.has(name))
  const isCutOtherwise = (model: OnnxModel): boolean => keyOf(old.get(model.name)!) !== keyOf(model)
  const hasOtherFile = ({ file }: OnnxModel): boolean => stamps.before.get(file) !== stamps.after.get(file)
  const changed = after.filter(model => old.has(model.name) && (isCutOtherwise(model) || hasOtherFile(model)))
  const touched = new Set<string>()
  const wanted = new Set(after.map(({ name }) => name))
  const removed = before.map(({ name }) => name).filter(name => !wanted.has(name))
  const undoing: (() => Promise<unknown>)[] = []
  const undo = async (): Promise<void> => {
    for (const step of undoing.splice(0).reverse()) await step()
  }
  const commit = async (): Promise<void> => {
    for (const model of added) {
      await device.addModel(model)
      undoing.push(() => device.removeModel(model.name))
    }
    for (const model of changed) {
      const isOther = await device.updateModel(model)
      if (!isOther && !isCutOtherwise(model)) touched.add(model.name)
      undoing.push(() => device.updateModel(old.get(model.name)!))
    }
  }
  return {
    added: added.map(({ name }) => name),
    get changed() {
      return changed.map(({ name }) => name).filter(name => !touched.has(name))
    },
    removed,
    commit: async () => {
      try {
        await commit()
      } catch (error) {
        await undo()
        throw error
      }
    },
    remove: async () => {
      for (const name of removed) await device.removeModel(name)
    },
    undo
  }
}

/** All that a model is cut by. */
const keyOf = ({ shapes, ...model }: OnnxModel): string => JSON.stringify([model, [...shapes]])
