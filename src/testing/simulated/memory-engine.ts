import type { Halt } from '../../core/halt.ts'
import type { BlockHash } from '../../core/ids.ts'
import { Serial } from '../../core/serial.ts'
import type { Tensor } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import {
  type BlockRun,
  type BlockVisit,
  type Engine,
  EngineError,
  type LoadedBlock,
  type RunTimes,
  StuckError,
  type TogetherRun,
  type VisitedBlock
} from '../../runtime/ports/engine.ts'
import type { ProcessClock } from './process-clock.ts'
import { leavesAfter, runToyBlock, type ToyBlock } from './toy-model.ts'

/** What befalls a run. */
export type RunFault = 'fails' | 'isStuck' | undefined

/** What an engine in memory is given, and what befalls it. */
export interface MemoryEngineParts {
  readonly clock: ProcessClock
  readonly speed: number
  /** The bytes of a block, from where the block store says that they are. */
  readonly bytesAt: (place: string) => Uint8Array
  /** Asked before each run, load and measurement. */
  readonly fault?: (block: ToyBlock, inputs: readonly Tensor[]) => RunFault
  /** By how much longer a run takes than it should; 1: not at all. */
  readonly slowness?: () => number
  /** Told of each run before it begins: whether the block is loaded. */
  readonly runs?: (hash: BlockHash, isLoaded: boolean) => void
  readonly isLoaded?: (hash: BlockHash) => void
  readonly isUnloaded?: (hash: BlockHash) => void
  /** Told whenever what is loaded has changed: its weight in all. */
  readonly weighs?: (bytes: number) => void
}

const LOADING: Seconds = seconds(0.02)
const STUCK: Seconds = seconds(10)

/** Computes toy blocks, in the time that they say. One run at a time; tensors are given away, as by transfer to a thread. */
export class MemoryEngine implements Engine {
  readonly #parts: MemoryEngineParts
  readonly #loaded = new Map<BlockHash, ToyBlock>()
  readonly #declared = new Map<BlockHash, Seconds>()
  readonly #lane = new Serial()
  #isStopped = false

  constructor(parts: MemoryEngineParts) {
    this.#parts = parts
  }

  load(hash: BlockHash, place: string, work?: Seconds): Promise<LoadedBlock> {
    return this.#lane.run(async () => {
      this.#refuseStopped()
      await this.#parts.clock.sleep(LOADING)
      const block = toyBlockOf(this.#parts.bytesAt(place))
      if (work !== undefined) this.#declared.set(hash, work)
      this.#loaded.set(hash, block)
      this.#parts.isLoaded?.(hash)
      this.#weigh()
      const spec = (name: string) => ({ name, type: 'int32' as const, shape: [1, block.length] })
      return { inputs: block.reads.map(spec), outputs: block.makes.map(spec) }
    })
  }

  unload(hash: BlockHash): Promise<void> {
    return this.#lane.run(async () => {
      if (this.#loaded.delete(hash)) this.#parts.isUnloaded?.(hash)
      this.#declared.delete(hash)
      this.#weigh()
    })
  }

  run(hash: BlockHash, inputs: readonly Tensor[]): Promise<BlockRun> {
    const given = inputs.map(taken)
    return this.#lane.run(async () => ({ ...(await this.#runOne(hash, given)), inputs: given }))
  }

  visit = (blocks: readonly VisitedBlock[], inputs: readonly Tensor[], halt: Halt): Promise<BlockVisit> => {
    const given = inputs.map(taken)
    return this.#lane.run(() => this.#runSeveral(blocks, given, halt))
  }

  runTogether = (hash: BlockHash, data: readonly (readonly Tensor[])[]): Promise<TogetherRun> => {
    const given = data.map(tensors => tensors.map(taken))
    return this.#lane.run(async () => {
      const { clock, runs, fault } = this.#parts
      const block = this.#blockOf(hash)
      runs?.(hash, block !== undefined)
      const start = clock.now()
      const faults = given.map(tensors => fault?.(block, tensors))
      if (faults.includes('isStuck')) {
        await clock.sleep(STUCK)
        throw new StuckError(`block ${block.block} of ${block.model} does not end`)
      }
      await clock.sleep(seconds(this.#takes(block) * timesOf(data.length)))
      if (faults.includes('fails'))
        throw new EngineError(`block ${block.block} of ${block.model}: one of several fails`)
      const end = clock.now()
      const took = seconds(end - start)
      const outputs = given.map(tensors => runToyBlock(block, tensors))
      return { inputs: given, outputs, start, end, took, own: took, late: seconds(0) }
    })
  }

  async #runSeveral(blocks: readonly VisitedBlock[], given: readonly Tensor[], halt: Halt): Promise<BlockVisit> {
    const here = new Map(given.map(tensor => [tensor.name, tensor]))
    const made = new Map<string, Tensor>()
    const runs: RunTimes[] = []
    for (const { hash } of blocks) {
      if (runs.length > 0 && halt.isAsked) break
      try {
        const reads = this.#loaded.get(hash)?.reads ?? []
        const { outputs, ...run } = await this.#runOne(
          hash,
          reads.map(name => here.get(name)!)
        )
        runs.push(run)
        for (const output of outputs) here.set(output.name, output)
        for (const output of outputs) made.set(output.name, output)
        if (run.follow !== undefined) return { runs, outputs: [...made.values()], inputs: given }
      } catch (error) {
        if (runs.length === 0) throw error
        return { runs, outputs: [], inputs: given, failed: { at: runs.length, error: error as Error } }
      }
    }
    return { runs, outputs: blocks[runs.length - 1]!.alive.flatMap(name => made.get(name) ?? []), inputs: given }
  }

  /** In the lane. */
  async #runOne(hash: BlockHash, given: readonly Tensor[]): Promise<Omit<BlockRun, 'inputs'>> {
    this.#refuseStopped()
    const { clock, runs, fault } = this.#parts
    const block = this.#loaded.get(hash)
    runs?.(hash, block !== undefined)
    if (block === undefined) throw new EngineError(`block ${hash.slice(0, 12)} is not loaded`)
    const start = clock.now()
    const what = fault?.(block, given)
    if (what === 'isStuck') {
      await clock.sleep(STUCK)
      throw new StuckError(`block ${block.block} of ${block.model} does not end`)
    }
    await clock.sleep(this.#takes(block))
    if (what === 'fails') throw new EngineError(`block ${block.block} of ${block.model}: an error that was asked for`)
    const end = clock.now()
    return {
      outputs: runToyBlock(block, given),
      ...(leavesAfter(block, given) ? { follow: 'home' as const } : {}),
      start,
      end,
      took: seconds(end - start),
      own: seconds(end - start),
      late: seconds(0)
    }
  }

  measure(...[hash, inputs]: Parameters<Engine['measure']>): Promise<Seconds> {
    return this.#lane.run(async () => {
      const block = this.#blockOf(hash)
      const took = seconds(this.#takes(block) * timesOf(inputs[0]?.dims[0] ?? 1))
      await this.#parts.clock.sleep(took)
      return this.#declared.get(hash) ?? took
    })
  }

  async calibrate(): Promise<number> {
    return this.#parts.speed
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#loaded.clear()
    this.#weigh()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #takes({ work }: ToyBlock): Seconds {
    return seconds((work / this.#parts.speed) * (this.#parts.slowness?.() ?? 1))
  }

  #blockOf(hash: BlockHash): ToyBlock {
    this.#refuseStopped()
    const block = this.#loaded.get(hash)
    if (block === undefined) throw new EngineError(`block ${hash.slice(0, 12)} is not loaded`)
    return block
  }

  #weigh(): void {
    let sum = 0
    for (const { weight } of this.#loaded.values()) sum += weight
    this.#parts.weighs?.(sum)
  }

  #refuseStopped(): void {
    if (this.#isStopped) throw new EngineError('the engine was stopped')
  }
}

/** What so many data take at once, in times of one. */
const timesOf = (data: number): number => 0.4 + 0.6 * data

const toyBlockOf = (file: Uint8Array): ToyBlock => {
  try {
    return JSON.parse(new TextDecoder().decode(file))
  } catch (error) {
    throw new EngineError(`it is not a toy block: ${(error as Error).message}`)
  }
}

/** The caller's buffer is detached, unless it is lent: whoever still looks into it finds nothing. */
const taken = (tensor: Tensor): Tensor => {
  if (tensor.isLent === true) return tensor
  const { buffer } = tensor.data
  return { ...tensor, data: new Uint8Array(structuredClone(buffer, { transfer: [buffer] })) }
}
