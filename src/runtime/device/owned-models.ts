import { z } from 'zod'
import { type DeviceId, type ModelId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { fingerprintOf } from '../../core/model-reference.ts'
import { Serial } from '../../core/serial.ts'
import { UserError } from '../../core/user-error.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { KeptNames } from '../ports/kept-names.ts'
import type { OwnedModel } from './owned-model.ts'
import { refuseNamesakes } from './refuse-namesakes.ts'

const refuseOther = ({ name, file, fingerprint = '' }: OwnedModel, { id }: ModelManifest): void => {
  if (id.startsWith(fingerprint)) return
  throw new UserError(
    `model "${name}": ${file} is ${name}@${fingerprintOf(id)}, not ${name}@${fingerprint}; another file, or cut otherwise`,
    { code: 'badModel', facts: { file } }
  )
}

export interface OwnedModelsParts {
  readonly models: readonly OwnedModel[]
  readonly view: ClusterView
  /** Cut it, or find that it was. @throws UserError when the file is no model that can be served */
  readonly prepare: (model: OwnedModel) => Promise<ModelManifest>
  /** Of one that comes to be owned. @throws UserError when it cannot be served as this device was told to */
  readonly check?: (manifest: ModelManifest) => void
  /** Where what the names meant is kept for the next start. @default nowhere */
  readonly names?: KeptNames | undefined
}

/** A name that this device gives, and what it means now. */
export interface OwnedName {
  readonly name: string
  readonly model: ModelId
  readonly revision: bigint
}

/** A model that this device owns from now on. */
export interface NewlyOwned {
  readonly manifest: ModelManifest
  /** What its name meant at an earlier start, where that is another that nothing here means any more. */
  readonly replaced: ModelId | undefined
}

const keptSchema = z.record(z.string(), z.object({ model: z.string(), revision: z.int().min(1) }))

/**
 * The models that this device owns, by name. A name's revision grows when it comes to mean another model, whether that
 * happens in mid-run or between two starts: so everybody knows which of the two counts, in whatever order they hear.
 */
export class OwnedModels {
  readonly #parts: OwnedModelsParts
  readonly #models: Map<string, OwnedModel>
  readonly #names = new Map<string, OwnedName>()
  /** Names that mean another model than at the last start: that one counts more than what other owners have had. */
  readonly #changed = new Set<string>()
  readonly #writing = new Serial()
  /** They come and go one at a time. */
  readonly #serial = new Serial()
  #isPrepared = false
  /** What the names meant at the last start is known. */
  #hasRead = false
  #kept: z.output<typeof keptSchema> = {}

  constructor(parts: OwnedModelsParts) {
    this.#parts = parts
    refuseNamesakes(parts.models)
    this.#models = new Map(parts.models.map(model => [model.name, model]))
  }

  names(): readonly OwnedName[] {
    return [...this.#names.values()]
  }

  /** As it was given. */
  given(name: string): OwnedModel | undefined {
    return this.#models.get(name)
  }

  owned(id: ModelId): OwnedName | undefined {
    return this.names().find(({ model }) => model === id)
  }

  /** At the start, each in its turn. @returns those that there are, in the order in which they were given @throws UserError */
  prepare(): Promise<readonly NewlyOwned[]> {
    return this.#serial.run(async () => {
      const owned: NewlyOwned[] = []
      for (const model of this.#models.values()) owned.push(await this.#own(model))
      this.#isPrepared = true
      if (owned.length > 0) await this.#write()
      return owned.map(one => this.#unlessMeant(one))
    })
  }

  /**
   * One more. Before the start it is prepared with the others.
   * @param mayOwn throws where it must not be owned, once it is cut and before anybody hears of it
   * @returns it once it is prepared; undefined before the start
   * @throws UserError when the name is given already, or the file is no model that can be served: nothing has changed then
   */
  add(model: OwnedModel, mayOwn?: (manifest: ModelManifest) => void): Promise<NewlyOwned | undefined> {
    return this.#serial.run(async () => {
      const { name } = model
      if (this.#models.has(name))
        throw new UserError(
          `model "${name}" is of this device already; update it, remove it first, or name this one otherwise`,
          { code: 'nameTaken', facts: { name } }
        )
      if (!this.#isPrepared) {
        this.#models.set(name, model)
        return undefined
      }
      const owned = await this.#own(model, mayOwn)
      try {
        await this.#write()
      } catch (error) {
        this.#names.delete(name)
        throw error
      }
      this.#models.set(name, model)
      return this.#unlessMeant(owned)
    })
  }

  async #own(model: OwnedModel, mayOwn?: (manifest: ModelManifest) => void): Promise<NewlyOwned> {
    const { name } = model
    const manifest = await this.#parts.prepare(model)
    refuseOther(model, manifest)
    this.#parts.check?.(manifest)
    if (!this.#hasRead) {
      this.#hasRead = true
      this.#kept = await this.#read()
    }
    mayOwn?.(manifest)
    const before = this.#kept[name]
    const isOther = before !== undefined && before.model !== manifest.id
    if (isOther) this.#changed.add(name)
    this.#put(name, manifest.id, BigInt(before?.revision ?? 1) + (isOther ? 1n : 0n))
    return { manifest, replaced: isOther ? modelId(before.model) : undefined }
  }

  #unlessMeant({ manifest, replaced }: NewlyOwned): NewlyOwned {
    return { manifest, replaced: replaced === undefined || this.owned(replaced) === undefined ? replaced : undefined }
  }

  /**
   * Another model in a name's place, or the same cut otherwise.
   * @returns it, and what the name meant before
   * @throws UserError when there is no such name here, or the file is no model: nothing has changed then
   */
  update(model: OwnedModel): Promise<{ readonly manifest: ModelManifest; readonly before: ModelId }> {
    const { name } = model
    return this.#serial.run(async () => {
      if (!this.#models.has(name)) throw new UserError(`model "${name}" is not of this device${this.#whose(name)}`)
      const manifest = await this.#parts.prepare(model)
      const { model: before } = this.#names.get(name)!
      this.#models.set(name, model)
      if (manifest.id !== before) {
        this.#put(name, manifest.id, this.#above(name) + 1n)
        await this.#write()
      }
      return { manifest, before }
    })
  }

  /**
   * This device owns it no longer, until it is started with it again.
   * @returns what it was, unless it had not been prepared; false when it did not own it
   */
  remove(name: string): Promise<ModelId | undefined | false> {
    return this.#serial.run(async () => {
      const model = this.#names.get(name)?.model
      this.#names.delete(name)
      return this.#models.delete(name) ? model : false
    })
  }

  /** Called often: what was changed since the last start counts more than what other owners, who were here, have. @returns whether something is news */
  tick(): boolean {
    let isNews = false
    for (const name of this.#changed) {
      const known = this.#names.get(name)
      const others = this.#parts.view.models.claimsOf(name).filter(({ device }) => device !== this.#parts.view.self)
      if (known === undefined || others.length === 0) continue
      this.#changed.delete(name)
      if (others.every(({ revision }) => revision < known.revision)) continue
      this.#put(name, known.model, this.#above(name) + 1n)
      isNews = true
    }
    if (isNews) void this.#write().catch(() => {}) // at the next start it is found to be other than the others' again
    return isNews
  }

  #put(name: string, model: ModelId, revision: bigint): void {
    this.#names.set(name, { name, model, revision })
    this.#kept[name] = { model, revision: Number(revision) }
  }

  /** The largest revision of a name that is known. */
  #above(name: string): bigint {
    const known = this.#parts.view.models.claimsOf(name).map(({ revision }) => revision)
    return [...known, this.#names.get(name)?.revision ?? 0n].reduce((a, b) => (a > b ? a : b))
  }

  #whose(name: string): string {
    const { view } = this.#parts
    const owners = view.models.claimsOf(name).map(({ device }: { device: DeviceId }) => view.nameOf(device))
    if (owners.length > 0) return `, but of ${owners.join(', ')}: update it there`
    const mine = [...this.#models.keys()]
    return mine.length === 0 ? ', which owns none' : ` (it has ${mine.join(', ')})`
  }

  async #read(): Promise<z.output<typeof keptSchema>> {
    try {
      return keptSchema.parse(await this.#parts.names?.readNames())
    } catch {
      return {} // the first start
    }
  }

  async #write(): Promise<void> {
    if (this.#hasRead) await this.#writing.run(() => this.#parts.names?.writeNames(this.#kept) ?? Promise.resolve())
  }
}
