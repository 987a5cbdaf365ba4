import { chooseSplit, type MeasuredSplit } from '../../cluster/choose-split.ts'
import type { BlockHash } from '../../core/ids.ts'
import type { LaneLoad } from '../../core/lane-load.ts'
import type { LaneSplit } from '../../core/lane-split.ts'
import { madeUpTensor } from '../../core/made-up-tensor.ts'
import { createRng } from '../../core/rng.ts'
import { Serial } from '../../core/serial.ts'
import { stopOnce } from '../../core/stop-once.ts'
import type { Tensor } from '../../core/tensor.ts'
import type { Seconds } from '../../core/units.ts'
import type { AdaptedSplit, Engine, LoadedBlock } from '../ports/engine.ts'

export interface SplitEngineParts {
  /** What the processor may be shared out as; the first is what it begins with. At least one. */
  readonly splits: readonly LaneSplit[]
  readonly open: (split: LaneSplit) => Engine
  /** For people: one line. */
  readonly say: (text: string, level?: 'info' | 'warn') => void
}

interface Held {
  readonly place: string
  readonly work: Seconds | undefined
  /** In each split; empty where it does not run on what is made up. */
  readonly times: ReadonlyMap<LaneSplit, { readonly alone: number; readonly busy: number }>
}

interface Opened {
  readonly split: LaneSplit
  readonly engine: Engine
  /** Runs that it was given and has not ended. */
  under: number
  /** Called when there are none left. */
  rests: () => void
}

/** Each split in turn, so often. */
const ROUNDS = { least: 3, most: 9, seconds: 0.5 }

/**
 * One of several ways to share out a processor among lanes and their threads. Each block, when it is measured, is run in all of them in
 * turn: once by itself, and once in all lanes. Now and then the split is chosen that does what is carried best at the load that
 * there is (choose-split.ts). Blocks are loaded for a new split before the one before is let go; where there is no room for
 * both, after that.
 */
export class SplitEngine implements Engine {
  readonly takesAhead = true
  readonly #parts: SplitEngineParts
  readonly #held = new Map<BlockHash, Held>()
  /** Loads and lets go, one after the other. */
  readonly #changes = new Serial()
  /** For trials, until the next choice. */
  readonly #tried = new Map<LaneSplit, Engine>()
  /** That still run what they had. */
  readonly #leaving = new Set<Engine>()
  readonly #failed = new Set<LaneSplit>()
  #current: Opened
  /** While it is open, what is to be run waits for it. */
  #gate: Promise<void> | undefined
  #because = 'nothing is measured yet'
  /** Blocks have been tried since it was last asked to choose: there may be more to come. */
  #hasNews = false

  constructor(parts: SplitEngineParts) {
    this.#parts = parts
    this.#current = this.#opened(parts.splits[0]!)
  }

  get lanes(): number {
    return this.#current.split.lanes
  }

  get split(): LaneSplit & { readonly because: string } {
    return { ...this.#current.split, because: this.#because }
  }

  get abandoned(): number {
    return [this.#current.engine, ...this.#leaving].reduce((sum, { abandoned = 0 }) => sum + abandoned, 0)
  }

  load(hash: BlockHash, place: string, work?: Seconds): Promise<LoadedBlock> {
    return this.#changes.run(async () => {
      const loaded = await this.#current.engine.load(hash, place, work)
      if (!this.#held.has(hash)) this.#held.set(hash, { place, work, times: new Map() })
      return loaded
    })
  }

  unload(hash: BlockHash): Promise<void> {
    return this.#changes.run(() => {
      this.#held.delete(hash)
      return this.#current.engine.unload(hash)
    })
  }

  run(...run: Parameters<Engine['run']>): ReturnType<Engine['run']> {
    return this.#give(engine => engine.run(...run))
  }

  readonly visit: NonNullable<Engine['visit']> = (...visit) => this.#give(engine => engine.visit!(...visit))

  readonly runTogether: NonNullable<Engine['runTogether']> = (...runs) =>
    this.#give(engine => engine.runTogether!(...runs))

  measure(...[hash, inputs, isReference, isBrief]: Parameters<Engine['measure']>): Promise<Seconds> {
    return this.#changes.run(async () => {
      const held = this.#held.get(hash)
      if (held === undefined || isBrief === true) return this.#current.engine.measure(hash, inputs, false, isBrief)
      if (isReference === true) return this.#forReference(hash, held, inputs)
      if (held.work === undefined) {
        this.#held.set(hash, { ...held, times: await this.#try(hash, held.place, inputs) })
        this.#hasNews = true
      }
      return this.#current.engine.measure(hash, inputs)
    })
  }

  /** Of one lane with one thread, whatever the split: the cluster's speeds are comparable. */
  async calibrate(): Promise<number> {
    await using engine = this.#parts.open(ONE)
    return await engine.calibrate()
  }

  /** Not before no block has been tried since it was last asked. @returns undefined where the split stays */
  readonly adapt = (load: LaneLoad): Promise<AdaptedSplit | undefined> =>
    this.#changes.run(async () => {
      const isSettled = !this.#hasNews
      this.#hasNews = false
      if (!isSettled) return undefined
      await this.#endTrials()
      const measured = this.#measured()
      const current = measured.find(({ split }) => split === this.#current.split)
      if (current === undefined || current.busy === 0) return undefined
      const best = chooseSplit(measured, current, load)
      const isChanged = best !== current && (await this.#change(best.split, load))
      this.#explain(measured, isChanged, load)
      if (!isChanged) return undefined
      return new Map(
        [...this.#held].flatMap(([hash, { times }]) => {
          const [before, now] = [times.get(current.split), times.get(best.split)]
          return before === undefined || now === undefined ? [] : [[hash, now.busy / before.busy]]
        })
      )
    })

  readonly #stop = stopOnce(async () => {
    await this.#stopAll()
    // What a change that was under way has opened meanwhile is stopped, too.
    await this.#changes.run(() => this.#stopAll())
  })

  async #stopAll(): Promise<void> {
    const engines = [this.#current.engine, ...this.#leaving, ...this.#tried.values()]
    await Promise.all(engines.map(engine => engine.stop()))
  }

  stop(): Promise<void> {
    return this.#stop.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #opened(split: LaneSplit): Opened {
    return { split, engine: this.#parts.open(split), under: 0, rests: () => {} }
  }

  async #give<T>(run: (engine: Engine) => Promise<T>): Promise<T> {
    while (this.#gate !== undefined) await this.#gate
    const opened = this.#current
    opened.under++
    try {
      return await run(opened.engine)
    } finally {
      opened.under--
      if (opened.under === 0) opened.rests()
    }
  }

  async #forReference(hash: BlockHash, { place }: Held, inputs: Parameters<Engine['measure']>[1]): Promise<Seconds> {
    await using engine = this.#parts.open(ONE)
    await engine.load(hash, place)
    return await engine.measure(hash, inputs, true)
  }

  /** Interleaved, so that what else the machine does hits all alike; medians. */
  async #try(hash: BlockHash, place: string, shaped: Parameters<Engine['measure']>[1]): Promise<Held['times']> {
    const rng = createRng(`split ${hash}`)
    const inputs = shaped.map(({ spec: { name, type }, dims }): Tensor => {
      const tensor = madeUpTensor(name, type, dims, rng)
      return { ...tensor, isLent: true }
    })
    const trials = await Promise.all(
      this.#candidates().map(async split => ({
        split,
        engine: await this.#forTrial(split, hash, place),
        alone: NONE()
      }))
    ).catch(() => undefined)
    if (trials === undefined) return new Map()
    const busy = trials.map(() => NONE())
    const once = async (engine: Engine): Promise<number> => (await engine.run(hash, inputs)).took
    try {
      let rounds = 1
      for (let round = -1; round < rounds; round++) {
        for (const [i, { split, engine, alone }] of trials.entries()) {
          const one = await once(engine)
          const all = await Promise.all(Array.from({ length: split.lanes }, () => once(engine)))
          if (round < 0) rounds = Math.min(ROUNDS.most, Math.max(ROUNDS.least, Math.ceil(ROUNDS.seconds / one)))
          else {
            alone.push(one)
            busy[i]!.push(...all)
          }
        }
      }
    } catch {
      return new Map() // what is made up is no valid input of every block
    } finally {
      await Promise.all([...this.#tried.values()].map(engine => engine.unload(hash).catch(() => {})))
    }
    return new Map(
      trials.map(({ split, alone }, i) => [split, { alone: median(alone), busy: Math.max(median(busy[i]!), 1e-9) }])
    )
  }

  async #forTrial(split: LaneSplit, hash: BlockHash, place: string): Promise<Engine> {
    if (split === this.#current.split) return this.#current.engine
    const engine = this.#tried.get(split) ?? this.#parts.open(split)
    this.#tried.set(split, engine)
    await engine.load(hash, place)
    return engine
  }

  async #endTrials(): Promise<void> {
    const engines = [...this.#tried.values()]
    this.#tried.clear()
    await Promise.all(engines.map(engine => engine.stop()))
  }

  #candidates(): readonly LaneSplit[] {
    return this.#parts.splits.filter(split => !this.#failed.has(split))
  }

  /** Of all that is held and has been tried in all of them. */
  #measured(): readonly (MeasuredSplit & { readonly split: LaneSplit })[] {
    const splits = this.#candidates()
    const all = [...this.#held.values()].filter(({ times }) => splits.every(split => times.has(split)))
    const sum = (split: LaneSplit, of: 'alone' | 'busy'): number =>
      all.reduce((total, { times }) => total + times.get(split)![of], 0)
    return splits.map(split => ({ ...split, split, alone: sum(split, 'alone'), busy: sum(split, 'busy') }))
  }

  /** Once it is so: who asks meanwhile is told what still runs, and why. */
  #explain(measured: readonly MeasuredSplit[], isChanged: boolean, { used, mostLanes }: LaneLoad): void {
    const each = measured.map(split => `${nameOf(split)}: ${inMs(split.alone)} alone, ${perSecond(split)} in all`)
    const limited = measured.some(({ lanes }) => lanes > mostLanes) ? `, memory for ${mostLanes}` : ''
    const because = `${(100 * used).toFixed(0)} % used${limited}; ${each.join('; ')}`
    const isFirst = this.#because === 'nothing is measured yet'
    this.#because = because
    if (isFirst || isChanged) this.#parts.say(`runs blocks in ${nameOf(this.#current.split)} (${because})`)
  }

  /** @returns whether it is the current one now */
  async #change(split: LaneSplit, { mostLanes }: LaneLoad): Promise<boolean> {
    const before = this.#current
    const isTight = before.split.lanes + split.lanes > mostLanes
    const open = Promise.withResolvers<void>()
    if (isTight) {
      this.#gate = open.promise
      await resting(before)
      await before.engine.stop()
    }
    const next = this.#opened(split)
    try {
      await this.#loadAll(next.engine)
      this.#current = next
    } catch (error) {
      this.#failed.add(split)
      this.#parts.say(`cannot run blocks in ${nameOf(split)}: ${(error as Error).message}`, 'warn')
      await next.engine.stop()
      if (isTight) {
        this.#current = this.#opened(before.split)
        await this.#loadAll(this.#current.engine)
      }
    } finally {
      this.#gate = undefined
      open.resolve()
    }
    if (this.#current === next && !isTight) this.#letGo(before)
    return this.#current === next
  }

  async #loadAll(engine: Engine): Promise<void> {
    for (const [hash, { place, work }] of this.#held) await engine.load(hash, place, work)
  }

  #letGo(opened: Opened): void {
    const { engine } = opened
    this.#leaving.add(engine)
    void resting(opened)
      .then(() => engine.stop())
      .finally(() => this.#leaving.delete(engine))
  }
}

const ONE: LaneSplit = { lanes: 1, threads: 1 }

const NONE = (): number[] => []

/** It has nothing to do any more. */
const resting = async (opened: Opened): Promise<void> => {
  if (opened.under > 0) await new Promise<void>(resolve => Object.assign(opened, { rests: resolve }))
}

const nameOf = ({ lanes, threads }: LaneSplit): string =>
  `${lanes} lane${lanes === 1 ? '' : 's'} of ${threads} thread${threads === 1 ? '' : 's'}`

const inMs = (time: number): string => `${(1000 * time).toPrecision(3)} ms`
const perSecond = ({ lanes, busy }: MeasuredSplit): string => `${(lanes / busy).toPrecision(3)}/s`

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!
