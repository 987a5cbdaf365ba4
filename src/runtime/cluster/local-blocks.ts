import type { BatchCurve } from '../../core/batch-curve.ts'
import { BufferPool } from '../../core/buffer-pool.ts'
import type { Halt } from '../../core/halt.ts'
import type { BlockHash, ModelId } from '../../core/ids.ts'
import type { LaneLoad } from '../../core/lane-load.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { isOpenForMore } from '../../core/open-dimension.ts'
import { doneAfter, type Follow } from '../../core/progress.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import {
  type BlockProvider,
  type BlockRun,
  type Engine,
  type FailedRun,
  type LoadedBlock,
  type RunTimes,
  StuckError,
  type VisitedBlock
} from '../ports/engine.ts'
import { MisfitError } from './misfit-error.ts'
import { NotHeldError } from './not-held-error.ts'
import { type BatchTiming, curveCost, timeBatches } from './time-batches.ts'

export interface HeldBlock {
  readonly loaded: LoadedBlock
  /** Measured here when it was loaded, or declared. */
  readonly time: Seconds
  readonly sha256: BlockHash
  readonly bytes: Bytes
  /** What several data take at once here; undefined: they are run one at a time. */
  readonly curve?: BatchCurve | undefined
}

type Batches = Omit<BatchTiming, 'atMost'>

export interface TimedBatches {
  readonly model: ModelId
  readonly block: number
  /** Undefined: they gain nothing. */
  readonly curve: BatchCurve | undefined
}

/** Blocks that have run one after the other. */
export interface Visited {
  readonly runs: readonly RunTimes[]
  /** The activation after the last, unless one failed. */
  readonly tensors?: readonly Tensor[]
  readonly failed?: FailedRun
}

/** A block takes so many times as long as it did. */
export interface ChangedBlock {
  readonly model: ModelId
  readonly block: number
  readonly times: number
}

/** To time batches of a block may take so long when it is loaded. Where that is not enough for all sizes, they are timed again. */
const AT_LOAD: Seconds = seconds(0.5)
/** That takes no longer than this, while nothing else is to be done. */
const LATER: Seconds = seconds(8)
/** Of what goes into such a run and comes out. */
const CURVE_BYTES = 64 * 2 ** 20

/** The blocks that this device has loaded, and how it runs them. */
export class LocalBlocks {
  readonly #engine: Engine
  readonly #declaresWork: boolean
  readonly #ownTimes: ReadonlyMap<string, readonly Seconds[]>
  #late = 0
  readonly #held = new Map<ModelId, Map<number, HeldBlock>>()
  readonly #buffers: BufferPool
  /** Blocks of which one run takes so long that batches are to be timed while nothing else is to be done. */
  readonly #untimed = new Map<
    HeldBlock,
    { readonly model: ModelId; readonly block: number; readonly batches: Batches }
  >()

  /**
   * @param engine that several may load the same block into: SharedEngine
   * @param declaresWork a run lasts what the manifest says / speed: it is not measured
   * @param ownTimes or what is said here, by the name of the model: of each block on this device at speed 1
   * @param buffers where inputs go that nobody needs any more
   */
  constructor(
    engine: Engine,
    declaresWork = false,
    ownTimes: ReadonlyMap<string, readonly Seconds[]> = new Map(),
    buffers = new BufferPool()
  ) {
    this.#engine = engine
    this.#buffers = buffers
    this.#declaresWork = declaresWork
    this.#ownTimes = ownTimes
  }

  /** As its engine: so many copies there are of each block. */
  get lanes(): number {
    return this.#engine.lanes ?? 1
  }

  /** As its engine. */
  get split(): Engine['split'] {
    return this.#engine.split
  }

  /** Whether its engine may choose how many lanes it has. */
  get adapts(): boolean {
    return this.#engine.adapt !== undefined
  }

  /** As its engine. @returns of each block that is held here; undefined where nothing has changed */
  async adapt(load: LaneLoad): Promise<readonly ChangedBlock[] | undefined> {
    const changes = await this.#engine.adapt?.(load)
    if (changes === undefined) return undefined
    return [...this.#held].flatMap(([model, blocks]) =>
      [...blocks].map(([block, { sha256 }]) => ({ model, block, times: changes.get(sha256) ?? 1 }))
    )
  }

  /** As its engine. */
  get takesAhead(): boolean {
    return this.#engine.takesAhead ?? false
  }

  /** Of each block of a model on this device at speed 1, carried or not; undefined where nobody says it. */
  readonly declared = ({ name, blocks }: ModelManifest): readonly Seconds[] | undefined => {
    const times = this.#ownTimes.get(name)
    return times?.length === blocks.length ? times : undefined
  }

  /** What was declared here and counts for none of these models, in words. @returns nothing while there is no model */
  misdeclared(models: readonly ModelManifest[]): string[] {
    const names = [...new Set(models.map(({ name }) => name))]
    return [...this.#ownTimes].flatMap(([name, times]) => {
      const ofName = models.filter(model => model.name === name)
      if (models.length === 0 || ofName.some(model => this.declared(model) !== undefined)) return []
      const [model] = ofName
      if (model !== undefined) return [`${describeMiscount(name, times, model)}; they take what is measured`]
      return [
        `times ${name}: no device has a model of that name (there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')})`
      ]
    })
  }

  /** @throws UserError where times are declared here for this model, of this device, and are not one for each of its blocks */
  requireDeclared(model: ModelManifest): void {
    const times = this.#ownTimes.get(model.name)
    if (times !== undefined && times.length !== model.blocks.length)
      throw new UserError(`${describeMiscount(model.name, times, model)}; give one for each`)
  }

  has(model: ModelId, block: number): boolean {
    return this.#held.get(model)?.has(block) === true
  }

  held(): ReadonlyMap<ModelId, ReadonlyMap<number, HeldBlock>> {
    return this.#held
  }

  /**
   * Load block `k` from its file and time it.
   * @throws EngineError when ONNX Runtime refuses it
   * @throws StuckError when it does not end: it is not held then
   */
  async load(manifest: ModelManifest, k: number, file: string): Promise<HeldBlock> {
    const { sha256, work } = manifest.blocks[k]!
    const given = this.declared(manifest)
    const works = given?.[k] ?? (this.#declaresWork ? work : undefined)
    const loaded = asOfOne(await this.#engine.load(sha256, file, works), manifest, k)
    try {
      const inputs = timedOn(manifest, k, loaded)
      const time = inputs === undefined ? work : await this.#measure(sha256, inputs, work)
      const batches = inputs === undefined || works !== undefined ? undefined : this.#timing(manifest, k, inputs, time)
      const curve = batches && (await timeBatches({ ...batches, atMost: AT_LOAD }))
      const held = this.#hold(manifest, k, loaded, time, curve)
      if (batches !== undefined && curveCost(time) > AT_LOAD)
        this.#untimed.set(held, { model: manifest.id, block: k, batches })
      return held
    } catch (error) {
      await this.#engine.unload(sha256)
      throw error
    }
  }

  /** Whether batches of some block are still to be timed. */
  get isUntimed(): boolean {
    return this.#untimed.size > 0
  }

  /**
   * Time batches of one such block, as long as nothing else is to be done; otherwise it is tried again. Its lane is busy meanwhile.
   * @returns which, and what they take; undefined where none was timed to the end
   */
  async timeNext(isFree: () => boolean): Promise<TimedBatches | undefined> {
    const [next] = this.#untimed
    if (next === undefined) return undefined
    const [held, { model, block, batches }] = next
    let isDisturbed = false
    const timed = async (size: number): Promise<Seconds | undefined> => {
      isDisturbed ||= !isFree()
      return isDisturbed ? undefined : batches.timed(size)
    }
    const curve = await timeBatches({ ...batches, timed, atMost: LATER })
    if (isDisturbed || !this.#untimed.delete(held)) return undefined
    this.#held.get(model)!.set(block, { ...held, curve })
    return { model, block, curve }
  }

  /** Of a block that takes several data at once; undefined where it does not, or not where it runs. @param time of one */
  #timing(manifest: ModelManifest, k: number, inputs: Measured, time: Seconds): Batches | undefined {
    const { sha256, batches } = manifest.blocks[k]!
    const runsOn = this.#engine.providerOf?.(sha256)?.provider ?? 'cpu'
    if (batches !== true || this.#engine.runTogether === undefined || runsOn !== 'cpu') return undefined
    const size = manifest.activations[k]!.bytes + manifest.activations[k + 1]!.bytes
    const timed = async (count: number): Promise<Seconds | undefined> => {
      const more = inputs.map(({ spec, dims }) => ({ spec, dims: [count * dims[0]!, ...dims.slice(1)] }))
      const took = await this.#measure(sha256, more, seconds(0), true)
      return took > 0 ? took : undefined
    }
    return { timed, time, mostData: CURVE_BYTES / size }
  }

  #hold(
    manifest: ModelManifest,
    k: number,
    loaded: LoadedBlock,
    time: Seconds,
    curve: BatchCurve | undefined
  ): HeldBlock {
    const { sha256, bytes } = manifest.blocks[k]!
    const held = { loaded, time, sha256, bytes, curve }
    const blocks = this.#held.get(manifest.id) ?? new Map<number, HeldBlock>()
    this.#held.set(manifest.id, blocks.set(k, held))
    return held
  }

  /** A block that another model has too, byte for byte, stays in the engine for that one. */
  async unload(manifest: ModelManifest, k: number): Promise<void> {
    const held = this.#held.get(manifest.id)
    const block = held?.get(k)
    if (held === undefined || block === undefined) return
    held.delete(k)
    this.#untimed.delete(block)
    if (held.size === 0) this.#held.delete(manifest.id)
    await this.#engine.unload(manifest.blocks[k]!.sha256)
  }

  /** What block `k` runs on; undefined where there is one way only. */
  providerOf(manifest: ModelManifest, k: number): BlockProvider | undefined {
    return this.#engine.providerOf?.(manifest.blocks[k]!.sha256)
  }

  /** Whether several blocks can be run with nothing between them. */
  get visits(): boolean {
    return this.#engine.visit !== undefined
  }

  /** Whether several data of a block can be run at once. */
  get batches(): boolean {
    return this.#engine.runTogether !== undefined
  }

  /**
   * Run block `k` on several activations `k` at once, all of the same form: as `run` each, in their order.
   * @throws as `run`: nothing is known then of any of them
   */
  async runTogether(
    manifest: ModelManifest,
    k: number,
    activations: readonly (readonly Tensor[])[]
  ): Promise<{ readonly tensors: readonly (readonly Tensor[])[] } & Pick<BlockRun, 'start' | 'end' | 'took'>> {
    const held = this.#holds(manifest, k)
    const here = activations.map(byName)
    const inputs = here.map(tensors => inputsOf(manifest, k, held, tensors))
    const expected = seconds(activations.length * expectedOf(manifest, k, held, activations[0]!))
    const run = await this.#engine.runTogether!(held.sha256, inputs, expected)
    this.#late += run.late
    const tensors = here.map((tensors, i) =>
      this.#after(manifest, k, 'next', tensors, { inputs: run.inputs[i]!, outputs: run.outputs[i]! })
    )
    const { start, end, took } = run
    return { tensors, start, end, took }
  }

  /**
   * Run block `k` on activation `k`. The block gets the tensors it names; those that live on beside it stay here.
   * @param readySince when the run could have begun had the lane been free
   * @returns activation k + 1; where the block says that something else follows, the model's outputs or inputs
   * @throws NotHeldError when it is not loaded here, or no longer
   * @throws MisfitError when the activation is none of this model
   */
  async run(
    manifest: ModelManifest,
    k: number,
    activation: readonly Tensor[],
    readySince: Seconds
  ): Promise<{ readonly tensors: readonly Tensor[] } & Pick<BlockRun, 'start' | 'end' | 'took' | 'follow'>> {
    const held = this.#holds(manifest, k)
    const here = byName(activation)
    const inputs = inputsOf(manifest, k, held, here)
    const expected = expectedOf(manifest, k, held, activation)
    const run = await this.#engine.run(manifest.blocks[k]!.sha256, inputs, readySince, expected)
    const { outputs, inputs: returned, start, end, took, follow = 'next' } = run
    this.#late += run.late
    const tensors = this.#after(manifest, k, follow, here, { inputs: returned, outputs })
    return { tensors, start, end, took, follow }
  }

  /**
   * The same of up to `count` blocks from `k` on, one after the other: fewer where it is halted, where one says what follows or
   * fails, or where not all are here. @throws as `run`, where the first did not run
   */
  async visit(
    manifest: ModelManifest,
    k: number,
    count: number,
    activation: readonly Tensor[],
    halt: Halt,
    readySince: Seconds
  ): Promise<Visited> {
    const here = byName(activation)
    const { blocks, inputs } = this.#planVisit(manifest, k, count, activation, here)
    const { runs, failed, outputs, inputs: returned } = await this.#engine.visit!(blocks, inputs, halt, readySince)
    for (const { late } of runs) this.#late += late
    if (failed !== undefined) return { runs, failed }
    const last = runs.at(-1)!
    const tensors = this.#after(manifest, k + runs.length - 1, last.follow, here, { inputs: returned, outputs })
    return { runs, tensors }
  }

  /** As many of the blocks as are here and are given what they take. */
  #planVisit(
    manifest: ModelManifest,
    first: number,
    count: number,
    activation: readonly Tensor[],
    here: ReadonlyMap<string, Tensor>
  ): { readonly blocks: readonly VisitedBlock[]; readonly inputs: readonly Tensor[] } {
    const blocks: VisitedBlock[] = []
    const inputs = new Set<Tensor>()
    const made = new Set<string>()
    for (let k = first; k < first + count; k++) {
      const held = k === first ? this.#holds(manifest, k) : this.#held.get(manifest.id)?.get(k)
      const own = held?.loaded.inputs.filter(({ name }) => !made.has(name)) ?? []
      // What came as something else than it takes is blamed on whoever made it when its turn comes.
      if (held === undefined || (k > first && !own.every(spec => fits(spec, here.get(spec.name))))) break
      const given = k === first ? inputsOf(manifest, k, held, here) : own.map(({ name }) => here.get(name)!)
      for (const tensor of given) inputs.add(tensor)
      for (const { name } of held.loaded.outputs) made.add(name)
      const alive = manifest.activations[k + 1]!.tensors.map(({ name }) => name)
      blocks.push({ hash: held.sha256, expected: expectedOf(manifest, k, held, activation, first), alive })
    }
    return { blocks, inputs: [...inputs] }
  }

  #holds(manifest: ModelManifest, k: number): HeldBlock {
    const held = this.#held.get(manifest.id)?.get(k)
    if (held === undefined) throw new NotHeldError(`block ${k} of ${manifest.name} is not loaded here`)
    return held
  }

  /** The activation after block `k`, of what was here and what has come out; what does not live on is given back. */
  #after(
    manifest: ModelManifest,
    k: number,
    follow: Follow | undefined,
    here: Map<string, Tensor>,
    { inputs, outputs }: Pick<BlockRun, 'inputs' | 'outputs'>
  ): readonly Tensor[] {
    for (const tensor of [...inputs, ...outputs]) here.set(tensor.name, tensor)
    const after = doneAfter(k, manifest.blocks.length, follow)
    const tensors = activationOf(manifest, after, here, `block ${k} of ${manifest.name}`)
    this.#giveBack(inputs, [...tensors, ...outputs])
    return tensors
  }

  /** Inputs that do not live on. */
  #giveBack(inputs: readonly Tensor[], others: readonly Tensor[]): void {
    const living = new Set(others.map(({ data }) => data.buffer))
    for (const { data, isLent } of inputs) if (isLent !== true && !living.has(data.buffer)) this.#buffers.give(data)
  }

  /** By how much runs here took longer than was declared, in all. */
  get late(): Seconds {
    return seconds(this.#late)
  }

  /** Bytes of blocks that count against the memory of each lane; what several models share counts once. */
  weight(): Bytes {
    const sizes = new Map([...this.#held.values()].flatMap(held => [...held.values()].map(b => [b.sha256, b.bytes])))
    return bytes([...sizes.values()].reduce((sum, size) => sum + size, 0))
  }

  async #measure(sha256: BlockHash, inputs: Measured, work: Seconds, isBrief = false): Promise<Seconds> {
    try {
      return await this.#engine.measure(sha256, inputs, false, isBrief)
    } catch (error) {
      if (error instanceof StuckError) throw error
      return work // zeros are no valid input of every block (an index out of range, say); the real run will tell
    }
  }
}

const describeMiscount = (name: string, times: readonly Seconds[], { blocks }: ModelManifest): string =>
  `times ${name}: ${times.length} time${times.length === 1 ? '' : 's'} for ${blocks.length} block${blocks.length === 1 ? '' : 's'}`

/** The tensors of an activation, of those that a block made or that live on beside it. @throws Error where it did not make one */
const activationOf = (
  { activations }: ModelManifest,
  done: number,
  here: ReadonlyMap<string, Tensor>,
  block: string
): readonly Tensor[] =>
  activations[done]!.tensors.map(({ name, type }) => {
    const tensor = here.get(name)
    if (tensor === undefined) throw new Error(`${block} did not make "${name}"`)
    if (tensor.type !== type) throw new Error(`${block} made "${name}" as ${tensor.type}, the model has it as ${type}`)
    return tensor
  })

/** What a block reads of what is here. @throws MisfitError where that is none of its activation */
const inputsOf = (
  manifest: ModelManifest,
  k: number,
  { loaded }: HeldBlock,
  here: ReadonlyMap<string, Tensor>
): readonly Tensor[] => {
  const block = `block ${k} of ${manifest.name}`
  return loaded.inputs.map(spec => {
    const tensor = here.get(spec.name)
    if (tensor === undefined) throw new MisfitError(`${block} needs "${spec.name}", which did not arrive`)
    checkFit(block, spec, tensor)
    return tensor
  })
}

/** As the runtime would refuse it: what does not fit was made wrongly elsewhere, and that is no failure of this device. */
const checkFit = (block: string, spec: TensorSpec, tensor: Tensor): void => {
  if (fits(spec, tensor)) return
  const { name, type, shape } = spec
  if (tensor.type !== type) throw new MisfitError(`${block} needs "${name}" as ${type} and got ${tensor.type}`)
  throw new MisfitError(
    `${block} needs "${name}" as [${shape.map(dim => dim ?? '?').join(', ')}] and got [${tensor.dims.join(', ')}]`
  )
}

const fits = ({ type, shape }: TensorSpec, tensor: Tensor | undefined): boolean =>
  tensor?.type === type &&
  (shape.length === 0 ||
    (tensor.dims.length === shape.length &&
      shape.every((dim, d) => typeof dim !== 'number' || dim < 0 || dim === tensor.dims[d])))

/** What block `k` should take here, of an activation `first` as large as this one. */
const expectedOf = (
  { activations }: ModelManifest,
  k: number,
  { time }: HeldBlock,
  activation: readonly Tensor[],
  first = k
): Seconds => {
  const size = activation.reduce((sum, { data }) => sum + data.byteLength, 0)
  return seconds(time * Math.max(1, size / activations[first]!.bytes))
}

type Measured = Parameters<Engine['measure']>[1]

/** A block whose inputs have no fixed shape cannot be timed on made-up data: the owner's figure stands in. */
const timedOn = ({ activations }: ModelManifest, k: number, loaded: LoadedBlock): Measured | undefined => {
  const known = new Map(activations[k]!.tensors.map(tensor => [tensor.name, tensor]))
  const inputs = loaded.inputs.map(spec => ({ spec, dims: concrete(known.get(spec.name)?.shape ?? spec.shape) }))
  return inputs.every(input => input.dims !== undefined) ? (inputs as Measured) : undefined
}

/** What a block takes of one datum, where it is open for several. */
const asOfOne = (loaded: LoadedBlock, { activations }: ModelManifest, k: number): LoadedBlock => {
  const known = new Map(activations[k]!.tensors.map(({ name, shape }) => [name, shape]))
  const inputs = loaded.inputs.map(spec => {
    const [first, ...rest] = spec.shape
    return isOpenForMore(first) ? { ...spec, shape: [known.get(spec.name)?.[0] ?? null, ...rest] } : spec
  })
  return { ...loaded, inputs }
}

const byName = (tensors: readonly Tensor[]): Map<string, Tensor> =>
  new Map(tensors.map(tensor => [tensor.name, tensor]))

const concrete = (shape: readonly (number | string | null)[]): readonly number[] | undefined =>
  shape.every(dim => typeof dim === 'number') ? (shape as readonly number[]) : undefined
