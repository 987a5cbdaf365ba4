import type { Clock } from '../core/clock.ts'
import type { ModelManifest } from '../core/manifest.ts'
import { seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import type { Device } from '../runtime/device/device.ts'
import type { OwnedModel } from '../runtime/device/owned-model.ts'
import { batchOf } from '../runtime/device/requests/batch.ts'
import type { ModelLack, RequestDesk } from '../runtime/device/requests/request-desk.ts'
import { ClusterNames } from './cluster-names.ts'
import { forClients } from './for-clients.ts'
import { isFile } from './is-file.ts'
import { isModelName } from './is-model-name.ts'
import { VERSION } from './model-facts.ts'
import { ModelsFolder } from './models-folder.ts'
import { type ModelConfig, readConfig } from './read-config.ts'
import { ServingError } from './serving-error.ts'
import { Uploads } from './uploads.ts'

/** How a model of this node comes to be, of a file. */
export interface ModelSource extends OwnedModel {
  /** Of its inputs that have dynamic dimensions, where that is said. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
}

export interface ModelRepositoryParts {
  readonly device: Device
  readonly desk: RequestDesk
  readonly clock: Clock
  /** For files that clients bring, each for as long as its model is loaded; made when the first comes. */
  readonly uploads: string
  /** Of models that may be loaded by name. */
  readonly folder: string | undefined
  /** Models that this node was started with. */
  readonly own: readonly OwnedModel[]
  /** Whether clients may unload these, and put others in their place. */
  readonly mayReplaceOwn: boolean
  /** Whether the device has started: models are not known before. */
  readonly hasStarted: () => boolean
  readonly createModel: (source: ModelSource) => OwnedModel
  readonly say: (text: string, level?: 'warn') => void
}

export interface RepositoryEntry {
  readonly name: string
  readonly version: string
  readonly state: 'READY' | 'UNAVAILABLE' | 'LOADING'
  readonly reason: string
}

/** What a client brings with a model: its configuration as JSON, and its file. */
export interface LoadParameters {
  readonly config: string | undefined
  readonly file: Uint8Array | undefined
}

/** A model is loaded when all its blocks are; until then, and for this node's start, a client waits so long. */
const PATIENCE = seconds(120)
const TICK = seconds(0.05)
/** After so long it is said that a block fits nowhere: a plan is made meanwhile. */
const SETTLES = seconds(3)
/** So soon it is heard what others load by the same name at the same instant. */
const HEARD = seconds(1)
const LARGEST_CONFIG = 1_000_000
const STARTING = 'this node is being started'
/** Models that are not there, of which it is remembered why. */
const MOST_REASONS = 1000

/** The models that clients may load and unload, and those that there are. */
export class ModelRepository {
  readonly #parts: ModelRepositoryParts
  /** Of this node, whether they are loaded or not. */
  readonly #known: Map<string, OwnedModel>
  readonly #loaded: Set<string>
  readonly #busy = new Map<string, Promise<void>>()
  readonly #reasons = new Map<string, string>()
  readonly #uploads: Uploads
  readonly #folder: ModelsFolder
  readonly #meanings: ClusterNames

  constructor(parts: ModelRepositoryParts) {
    this.#parts = parts
    this.#known = new Map(parts.own.map(model => [model.name, model]))
    this.#loaded = new Set(this.#known.keys())
    this.#uploads = new Uploads(parts.uploads)
    this.#folder = new ModelsFolder(parts.folder)
    this.#meanings = new ClusterNames(parts.device.view)
  }

  /** Of the models that are in the cluster. */
  names(): readonly string[] {
    return this.#parts.device.view.models.names()
  }

  /** As far as the folder was looked at. */
  index(): readonly RepositoryEntry[] {
    const there = this.names()
    const others = [...this.#known.keys(), ...this.#folder.names()].filter(name => !there.includes(name))
    return [
      ...there.map(name => this.#entryOf(name)),
      ...[...new Set(others)].sort().map(name => ({
        ...{ name, version: VERSION },
        ...(this.isComing(name)
          ? { state: 'LOADING' as const, reason: STARTING }
          : {
              state: this.#busy.has(name) ? ('LOADING' as const) : ('UNAVAILABLE' as const),
              reason: this.#reasons.get(name) ?? 'unloaded'
            })
      }))
    ]
  }

  /** This node is being started with it: until it has been, nothing else is known of it. */
  isComing(name: string): boolean {
    return !this.#parts.hasStarted() && this.#isOwn(name)
  }

  /** @throws ServingError where it cannot be read */
  lookAtFolder(): Promise<void> {
    return this.#folder.look()
  }

  /** Resolves when data can be computed with it. @throws ServingError */
  load(name: string, given: LoadParameters): Promise<void> {
    return this.#alone(name, () => this.#load(name, given))
  }

  /** Resolves when it has left. @throws ServingError */
  unload(name: string): Promise<void> {
    return this.#alone(name, async () => {
      const { device, desk } = this.#parts
      if (!this.#loaded.has(name)) {
        if (device.view.manifestNamed(name) === undefined)
          throw new ServingError('noSuchModel', `failed to unload '${name}': there is no such model`)
        throw new ServingError('badRequest', `failed to unload '${name}': ${this.#meanings.whose(name)}`)
      }
      if (this.#isLocked(name)) throw locked(name, 'unload')
      this.#loaded.delete(name)
      this.#remember(name, 'unloaded')
      await device.removeModel(name)
      await desk.leave(name)
      await this.#uploads.drop(name)
    })
  }

  #isOwn(name: string): boolean {
    return this.#parts.own.some(model => model.name === name)
  }

  /** What the operator brought is the operator's. */
  #isLocked(name: string): boolean {
    return !this.#parts.mayReplaceOwn && this.#isOwn(name) && this.#loaded.has(name)
  }

  /** Why it is not there; of as many as may be, the latest. */
  #remember(name: string, reason: string): void {
    this.#reasons.delete(name)
    this.#reasons.set(name, reason)
    const [oldest] = this.#reasons.keys()
    if (this.#reasons.size <= MOST_REASONS) return
    this.#reasons.delete(oldest!)
    if (!this.#loaded.has(oldest!)) this.#known.delete(oldest!)
  }

  #entryOf(name: string): RepositoryEntry {
    const { device, desk } = this.#parts
    const manifest = device.view.manifestNamed(name)
    const lack = manifest === undefined ? undefined : desk.lackOf(manifest)
    if (manifest === undefined || lack === undefined) return { name, version: VERSION, state: 'READY', reason: '' }
    // One whose owners have gone may stay as it is for as long as it is kept: nobody waits for it.
    const isOwned = this.#loaded.has(name) || device.view.models.owners(manifest.id).length > 0
    const state = lack.fitsNowhere || !isOwned ? 'UNAVAILABLE' : 'LOADING'
    return { name, version: VERSION, state, reason: isOwned ? lack.words : `whoever brought it is away; ${lack.words}` }
  }

  /** One thing at a time is done with a model. */
  async #alone(name: string, work: () => Promise<void>): Promise<void> {
    if (!isModelName(name))
      throw new ServingError(
        'badRequest',
        `a model's name is letters, digits, dots, dashes and underscores, at most 63`
      )
    while (this.#busy.has(name)) await this.#busy.get(name)!.catch(() => {})
    const done = this.#untilStarted().then(work)
    this.#busy.set(name, done)
    try {
      await done
    } finally {
      this.#busy.delete(name)
    }
  }

  /** @throws ServingError where it takes too long, or is given up */
  async #untilStarted(): Promise<void> {
    const { clock, desk, hasStarted } = this.#parts
    const begun = clock.now()
    while (!hasStarted()) {
      if (desk.isStopped || clock.now() - begun > PATIENCE) throw new ServingError('notReady', STARTING)
      await clock.sleep(TICK)
    }
  }

  async #load(name: string, given: LoadParameters): Promise<void> {
    const { device, desk } = this.#parts
    if (this.#isLocked(name)) {
      if (given.file !== undefined || given.config !== undefined) throw locked(name, 'load')
      const lack = desk.lackOf(desk.model(name))
      if (lack === undefined) return
      throw new ServingError('notReady', `model '${name}' is not ready: ${lack.words}`)
    }
    const { config } = given
    const said = config === undefined ? undefined : this.#configOf(name, config)
    if (given.file === undefined && (await this.#isOthers(name))) {
      if (said !== undefined)
        throw new ServingError('badRequest', `failed to load '${name}': ${this.#meanings.whose(name)}`)
      return this.#awaitOthers(name)
    }
    const model = await this.#modelOf(name, given.file, said)
    try {
      await this.#meanings.refuseAnother(model)
      // Somebody may have taken it out of the cluster meanwhile.
      const isThere = device.view.manifestNamed(name) !== undefined
      const isUpdate = this.#loaded.has(name) && isThere
      const mayOwn = (manifest: ModelManifest): void => this.#meanings.refuseLater(name, manifest)
      await (isUpdate ? device.updateModel(model) : device.addModel(model, mayOwn))
      this.#loaded.add(name)
      this.#known.set(name, model)
      await this.#untilItsOwn(name, model)
      this.#reasons.delete(name)
      await this.#uploads.drop(name, model.file)
    } catch (error) {
      await this.#uploads.drop(name, this.#loaded.has(name) ? this.#known.get(name)?.file : undefined)
      const words = forClients(error as Error, model)
      if (!(error instanceof UserError || error instanceof ServingError)) throw new Error(words, { cause: error })
      this.#remember(name, words)
      throw new ServingError('badRequest', `failed to load '${name}': ${words}`)
    }
  }

  /** The cluster has it, and this node has no file that could be meant. */
  async #isOthers(name: string): Promise<boolean> {
    if (this.#known.has(name) || this.#parts.device.view.manifestNamed(name) === undefined) return false
    return (await this.#folder.fileOf(name)) === undefined
  }

  /** @throws ServingError where nothing can be computed with it: it stays all the same */
  async #awaitOthers(name: string): Promise<void> {
    const lack = await this.#lackAfterAll(name)
    if (lack !== undefined) throw new ServingError('notReady', `model '${name}' is not ready: ${lack.words}`)
  }

  /** @returns why nothing can be computed with it, when that is not waited for any more */
  async #lackAfterAll(name: string): Promise<ModelLack | undefined> {
    const { clock, desk } = this.#parts
    const begun = clock.now()
    for (;;) {
      const lack = desk.lackOf(desk.model(name))
      const waited = clock.now() - begun
      if (lack === undefined || (waited > SETTLES && lack.fitsNowhere) || waited > PATIENCE) return lack
      await clock.sleep(TICK)
    }
  }

  /** What was loaded is ready, and is what its name means everywhere. @throws ServingError, and it is taken out, where it cannot be */
  async #untilItsOwn(name: string, { mostData }: OwnedModel): Promise<void> {
    const { clock, desk, device } = this.#parts
    const since = clock.now()
    try {
      if (mostData !== undefined && batchOf(desk.model(name)) === undefined)
        throw new ServingError('badRequest', `max_batch_size is ${mostData}, and the model takes no batches: make it 0`)
      const lack = await this.#lackAfterAll(name)
      if (lack !== undefined) throw new ServingError('badRequest', lack.words)
      while (device.view.members().length > 1 && clock.now() - since < HEARD) await clock.sleep(TICK)
      this.#meanings.refuseOvertaken(name)
    } catch (error) {
      this.#loaded.delete(name)
      await device.removeModel(name)
      throw error
    }
  }

  #configOf(name: string, config: string): ModelConfig {
    if (config.length > LARGEST_CONFIG)
      throw new ServingError('badRequest', `parameter 'config' has more than ${LARGEST_CONFIG} characters`)
    return readConfig(config, name, this.#parts.desk.limits.batch)
  }

  async #modelOf(name: string, file: Uint8Array | undefined, said: ModelConfig | undefined): Promise<OwnedModel> {
    const shapes = said?.shapes ?? new Map()
    const create = (path: string): OwnedModel =>
      this.#parts.createModel({ name, shapes, file: path, ...limitOf(said?.mostData) })
    if (file !== undefined) return create(await this.#uploads.keep(name, file))
    const found = await this.#folder.fileOf(name)
    if (found !== undefined) return create(found)
    const known = this.#known.get(name)
    if (known === undefined || !(await isFile(known.file)))
      throw new ServingError(
        'noSuchModel',
        `failed to load '${name}', no such model${this.#folder.isThere ? '' : '; this node has no folder of models'}`
      )
    if (said === undefined) return known
    const { mostData: _, ...unlimited } = known
    return { ...unlimited, ...limitOf(said.mostData) }
  }
}

const limitOf = (mostData: number | undefined): Pick<OwnedModel, 'mostData'> =>
  mostData === undefined ? {} : { mostData }

const locked = (name: string, what: 'load' | 'unload'): ServingError =>
  new ServingError(
    'badRequest',
    `failed to ${what} '${name}': this node was started with it, and its operator does not let clients change that`
  )
