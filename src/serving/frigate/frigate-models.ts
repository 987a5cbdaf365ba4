import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeFileError } from '../../core/describe-file-error.ts'
import { Serial } from '../../core/serial.ts'
import { EngineError } from '../../runtime/ports/engine.ts'
import { isFile } from '../is-file.ts'
import { ServingError } from '../serving-error.ts'
import { FrigateModel, type FrigateModelParts } from './frigate-model.ts'
import { hasModel } from './has-model.ts'
import { LoneModel } from './lone-model.ts'
import { modelNameOf } from './model-name.ts'

export interface FrigateModelsParts extends Omit<FrigateModelParts, 'name' | 'file'> {
  /** For what Frigate brings; made when the first comes. */
  readonly folder: string
}

/** On the disk. */
const MOST_MODELS = 16

/** The models that Frigate may ask for: those that it brought, also before the last start, and those of the cluster. */
export class FrigateModels implements AsyncDisposable {
  readonly #parts: FrigateModelsParts
  readonly #models = new Map<string, FrigateModel>()
  /** One file is taken at a time. */
  readonly #taking = new Serial()
  /** That was spoken of last. */
  #last: FrigateModel | undefined

  constructor(parts: FrigateModelsParts) {
    this.#parts = parts
  }

  /** For whoever names none: the one that was spoken of last, or the only one of the cluster. */
  async unnamed(): Promise<FrigateModel | undefined> {
    if (this.#last !== undefined) return this.#last
    const names = this.#parts.repository.names()
    return names.length === 1 ? this.find(names[0]!) : undefined
  }

  /** @param file as Frigate calls it @returns undefined where there is none of that name */
  async find(file: string): Promise<FrigateModel | undefined> {
    const name = modelNameOf(file)
    const known = this.#models.get(name)
    if (known !== undefined) return this.#spokenOf(known)
    const kept = this.#fileOf(name)
    if (await isFile(kept)) return this.#spokenOf(this.#add(name, kept))
    return hasModel(this.#parts.desk, name) ? this.#spokenOf(this.#add(name, undefined)) : undefined
  }

  /** @param name of a model that was found or brought @returns undefined where it is forgotten */
  known(name: string): FrigateModel | undefined {
    return this.#models.get(name)
  }

  /** The same file again, as from detectors that start together, is the model that is there. @throws ServingError where it is no model, its name stands for another file, or it cannot be kept */
  upload(file: string, bytes: Uint8Array): Promise<FrigateModel> {
    return this.#taking.run(async () => {
      const name = modelNameOf(file)
      const kept = this.#fileOf(name)
      const known = this.#models.get(name)
      if (known?.isBrought && (await isSame(kept, bytes))) return this.#spokenOf(known)
      await this.#keep(name, kept, bytes)
      await known?.[Symbol.asyncDispose]()
      return this.#spokenOf(this.#add(name, kept))
    })
  }

  /** It cannot be opened: it is as if there were none. */
  async forget(model: FrigateModel): Promise<void> {
    if (this.#models.get(model.name) === model) this.#models.delete(model.name)
    if (this.#last === model) this.#last = undefined
    await model[Symbol.asyncDispose]()
    await rm(this.#fileOf(model.name), { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#models.values()].map(model => model[Symbol.asyncDispose]()))
  }

  #fileOf(name: string): string {
    return join(this.#parts.folder, `${name}.onnx`)
  }

  #add(name: string, file: string | undefined): FrigateModel {
    const model = new FrigateModel({ ...this.#parts, name, file })
    this.#models.set(name, model)
    return model
  }

  #spokenOf(model: FrigateModel): FrigateModel {
    this.#last = model
    return model
  }

  /** A name stands for one file: what is asked and answered by it elsewhere would be of another. @throws ServingError */
  async #refuseAnother(name: string, kept: string, bytes: Uint8Array): Promise<void> {
    const { desk } = this.#parts
    const known = [
      ...(hasModel(desk, name) ? [desk.model(name).sha256] : []),
      ...((await isFile(kept)) ? [sha256Of(await readFile(kept))] : [])
    ]
    const sha256 = sha256Of(bytes)
    const other = known.find(one => one !== sha256)
    if (other === undefined) return
    const [here, came] = [other, sha256].map(text => text.slice(0, 12))
    throw new ServingError(
      'badRequest',
      `the name "${name}" stands for another file (sha256 ${here}..., and ${came}... came): give this one another name`
    )
  }

  /** What is no model never takes the place of one. */
  async #keep(name: string, kept: string, bytes: Uint8Array): Promise<void> {
    const { folder, threads } = this.#parts
    const draft = join(folder, `${name}.draft`)
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const others = (await readdir(folder)).filter(entry => entry.endsWith('.onnx') && entry !== `${name}.onnx`)
      if (others.length >= MOST_MODELS)
        throw new ServingError(
          'tooLarge',
          `${MOST_MODELS} models are kept here already; its operator has to remove one`
        )
      await writeFile(draft, bytes, { mode: 0o600 })
      await (await LoneModel.open(draft, threads))[Symbol.asyncDispose]()
      await this.#refuseAnother(name, kept, bytes)
      await rename(draft, kept)
    } catch (error) {
      await rm(draft, { force: true })
      if (error instanceof ServingError) throw error
      if (error instanceof EngineError)
        throw new ServingError('badRequest', `it is no model: ${error.message.replaceAll(draft, name)}`)
      throw new ServingError('internal', `${name} cannot be kept: ${describeFileError(error)}`)
    }
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const isSame = async (path: string, bytes: Uint8Array): Promise<boolean> =>
  (await isFile(path)) && Buffer.compare(await readFile(path), bytes) === 0
