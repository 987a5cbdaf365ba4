import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { describeFileError } from '../core/describe-file-error.ts'
import { seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import type { Device } from '../runtime/device/device.ts'
import type { OwnedModel } from '../runtime/device/owned-model.ts'
import { batchOf } from '../runtime/device/requests/batch.ts'
import type { RequestDesk } from '../runtime/device/requests/request-desk.ts'
import { identityOf } from '../runtime/onnx/identity-of.ts'
import { VERSION } from './model-facts.ts'
import { type ModelConfig, readConfig } from './read-config.ts'
import { ServingError } from './serving-error.ts'

/** How a model of this node comes to be, of a file. */
export interface ModelSource {
  readonly name: string
  readonly file: string
  /** Of its inputs that have dynamic dimensions, where that is said. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
}

export interface ModelRepositoryParts {
  readonly device: Device
  readonly desk: RequestDesk
  readonly clock: Clock
  /** For files that clients bring, each for as long as its model is loaded; made when the first comes. */
  readonly uploads: string
  /** Of models that may be loaded by name: NAME.onnx, or NAME/1/model.onnx. */
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

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,62}$/u
/** A model is loaded when all its blocks are; until then, and for this node's start, a client waits so long. */
const PATIENCE = seconds(120)
const TICK = seconds(0.05)
/** After so long it is said that a block fits nowhere: a plan is made meanwhile. */
const SETTLES = seconds(3)
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
  /** Data in a request, where a client's configuration says it. */
  readonly #mostData = new Map<string, number>()
  /** Files that clients brought. */
  readonly #brought = new Map<string, Set<string>>()
  /** That have been brought. */
  #count = 0
  #inFolder: readonly string[] = []

  constructor(parts: ModelRepositoryParts) {
    this.#parts = parts
    this.#known = new Map(parts.own.map(model => [model.name, model]))
    this.#loaded = new Set(this.#known.keys())
  }

  /** Data in a request, where that was said here; undefined: as many as this node takes. */
  mostDataOf(name: string): number | undefined {
    return this.#mostData.get(name)
  }

  /** Of the models that are in the cluster. */
  names(): readonly string[] {
    return this.#parts.device.view.models.names()
  }

  /** As far as the folder was looked at. */
  index(): readonly RepositoryEntry[] {
    const there = this.names()
    const others = [...this.#known.keys(), ...this.#inFolder].filter(name => !there.includes(name))
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

  async lookAtFolder(): Promise<void> {
    const { folder } = this.#parts
    if (folder === undefined) return
    const entries = await readdir(folder, { withFileTypes: true }).catch(error => {
      throw new ServingError('internal', `the folder of models: ${describeFileError(error)}`)
    })
    const names = entries
      .map(entry => (entry.isDirectory() ? entry.name : /^(.*)\.onnx$/.exec(entry.name)?.[1]))
      .filter(name => name !== undefined && NAME.test(name))
    const unique = [...new Set(names as string[])].slice(0, 10_000)
    const files = await Promise.all(unique.map(name => this.#fileOf(name)))
    this.#inFolder = unique.filter((_, i) => files[i] !== undefined)
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
        throw new ServingError('badRequest', `failed to unload '${name}': ${this.#whose(name)}`)
      }
      if (this.#isLocked(name)) throw locked(name, 'unload')
      this.#loaded.delete(name)
      this.#mostData.delete(name)
      this.#remember(name, 'unloaded')
      await device.removeModel(name)
      await desk.leave(name)
      await this.#drop(name)
    })
  }

  #isOwn(name: string): boolean {
    return this.#parts.own.some(model => model.name === name)
  }

  /** What the operator brought is the operator's. */
  #isLocked(name: string): boolean {
    return !this.#parts.mayReplaceOwn && this.#isOwn(name) && this.#loaded.has(name)
  }

  /** Who is to be asked to take it out. */
  #whose(name: string): string {
    const { view } = this.#parts.device
    const owners = view.models.claimsOf(name).map(({ device }) => view.nameOf(device))
    if (owners.length === 0) return 'the device of the cluster that brought it is away'
    return `another device of the cluster brought it, ${owners.join(', ')}: ask there`
  }

  /** A name stands for one file, whichever devices brought it. @throws ServingError */
  async #refuseAnother(name: string, file: string): Promise<void> {
    const { view } = this.#parts.device
    const others = view.models.claimsOf(name).filter(({ device }) => device !== view.self)
    if (others.length === 0) return
    const sha256 = await identityOf(file)
    const other = others.find(({ model }) => view.models.manifest(model)?.sha256 !== sha256)
    if (other === undefined) return
    throw new ServingError(
      'badRequest',
      `the cluster has another file by that name, from ${view.nameOf(other.device)}: give this one another name`
    )
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
    if (!NAME.test(name))
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
    const model = await this.#modelOf(name, given.file, said?.shapes ?? new Map())
    try {
      await this.#refuseAnother(name, model.file)
      // Somebody may have taken it out of the cluster meanwhile.
      const isThere = device.view.manifestNamed(name) !== undefined
      if (this.#loaded.has(name) && isThere) await device.updateModel(model)
      else await device.addModel(model)
      this.#loaded.add(name)
      const isSame = this.#known.get(name) === model
      this.#known.set(name, model)
      if (said !== undefined || !isSame) await this.#limit(name, said?.mostData)
      await this.#untilReady(name)
      this.#reasons.delete(name)
      await this.#drop(name, model.file)
    } catch (error) {
      await this.#drop(name, this.#loaded.has(name) ? this.#known.get(name)?.file : undefined)
      const words = forClients(error as Error, model)
      if (!(error instanceof UserError || error instanceof ServingError)) throw new Error(words, { cause: error })
      this.#remember(name, words)
      throw new ServingError('badRequest', `failed to load '${name}': ${words}`)
    }
  }

  async #untilReady(name: string): Promise<void> {
    const { clock, desk } = this.#parts
    const begun = clock.now()
    for (;;) {
      const lack = desk.lackOf(desk.model(name))
      if (lack === undefined) return
      const waited = clock.now() - begun
      if ((waited > SETTLES && lack.fitsNowhere) || waited > PATIENCE) {
        await this.#takeOut(name)
        throw new ServingError('badRequest', lack.words)
      }
      await clock.sleep(TICK)
    }
  }

  /** @throws ServingError where it takes no batches */
  async #limit(name: string, most: number | undefined): Promise<void> {
    if (most === undefined) {
      this.#mostData.delete(name)
      return
    }
    if (batchOf(this.#parts.desk.model(name)) === undefined) {
      await this.#takeOut(name)
      throw new ServingError('badRequest', `max_batch_size is ${most}, and the model takes no batches: make it 0`)
    }
    this.#mostData.set(name, most)
  }

  async #takeOut(name: string): Promise<void> {
    this.#loaded.delete(name)
    this.#mostData.delete(name)
    await this.#parts.device.removeModel(name)
  }

  #configOf(name: string, config: string): ModelConfig {
    if (config.length > LARGEST_CONFIG)
      throw new ServingError('badRequest', `parameter 'config' has more than ${LARGEST_CONFIG} characters`)
    return readConfig(config, name, this.#parts.desk.limits.batch)
  }

  async #modelOf(name: string, file: Uint8Array | undefined, shapes: ModelConfig['shapes']): Promise<OwnedModel> {
    const { createModel } = this.#parts
    if (file !== undefined) return createModel({ name, shapes, file: await this.#keep(name, file) })
    const found = await this.#fileOf(name)
    if (found !== undefined) return createModel({ name, shapes, file: found })
    const known = this.#known.get(name)
    if (known !== undefined && (await isFile(known.file))) return known
    throw new ServingError(
      'noSuchModel',
      `failed to load '${name}', no such model${this.#parts.folder === undefined ? '; this node has no folder of models' : ''}`
    )
  }

  async #keep(name: string, bytes: Uint8Array): Promise<string> {
    const { uploads } = this.#parts
    const folder = join(uploads, String(++this.#count)) // what is loaded by that name keeps its own
    const file = join(folder, `${name}.onnx`)
    this.#brought.set(name, (this.#brought.get(name) ?? new Set()).add(folder))
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(file, bytes, { mode: 0o600 })
    } catch (error) {
      await this.#drop(name, this.#known.get(name)?.file)
      throw new ServingError('internal', `'${name}' cannot be kept here: ${describeFileError(error)}`)
    }
    return file
  }

  /** Files that were brought for it. @param but this one: it is loaded */
  async #drop(name: string, but?: string): Promise<void> {
    const folders = this.#brought.get(name) ?? new Set()
    for (const folder of folders) {
      if (but !== undefined && dirname(but) === folder) continue
      folders.delete(folder)
      await rm(folder, { recursive: true, force: true })
    }
    if (folders.size === 0) this.#brought.delete(name)
  }

  /** Of the folder: the largest of its versions. */
  async #fileOf(name: string): Promise<string | undefined> {
    const { folder } = this.#parts
    if (folder === undefined) return undefined
    const plain = join(folder, `${name}.onnx`)
    if (await isFile(plain)) return plain
    const versions = (await readdir(join(folder, name)).catch(() => [])).filter(version => /^\d{1,9}$/.test(version))
    const latest = versions.sort((a, b) => Number(b) - Number(a))[0]
    const file = latest === undefined ? undefined : join(folder, name, latest, 'model.onnx')
    return file !== undefined && (await isFile(file)) ? file : undefined
  }
}

const locked = (name: string, what: 'load' | 'unload'): ServingError =>
  new ServingError(
    'badRequest',
    `failed to ${what} '${name}': this node was started with it, and its operator does not let clients change that`
  )

/** Where a file lies here is not theirs to know. A shape that is missing they send in a configuration: they give this node no options. */
const forClients = ({ message }: Error, { name, file }: OwnedModel): string =>
  message
    .replaceAll(file, name)
    .replaceAll(`${dirname(file)}${sep}`, '')
    .replace(/(?:fix it|give one), for example with shape (\S+?)=(\d+(?:x\d+)*).*$/, (_, input, dims) => {
      const config = { input: [{ name: input, dims: dims.split('x').map(Number) }] }
      return `send its dims in the parameter 'config', for example ${JSON.stringify(config)}`
    })

const isFile = async (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isFile(),
    () => false
  )
