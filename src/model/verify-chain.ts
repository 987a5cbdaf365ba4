import { compareOutputs, type Difference } from './compare-outputs.ts'
import type { StudiedModel } from './cut-model.ts'
import { activationsAt } from './cut-model.ts'
import type { OpenModel, OpenModelOptions } from './open-model.ts'
import { runChain } from './run-chain.ts'
import { feedsFor } from './tensor-facts.ts'

export interface Verification extends Difference {
  /** Chain over whole, median of pairs run in turn. */
  readonly ratio: number
  readonly wholeMs: number
  readonly chainMs: number
}

export interface VerifyOptions extends Pick<OpenModelOptions, 'threads'> {
  /** Reads a clock that only goes forward, in seconds. */
  readonly now: () => number
  /** Pairs of runs that are timed. @default as many as take three seconds, from 15 to 101 */
  readonly rounds?: number
  readonly seed?: string
}

/** More inputs than one: a difference may show only for some values. */
const INPUTS = 3

/** How far a chain may be from the whole, relative to the largest output: what another order of additions can do. */
export const TOLERANCE = 1e-5

/**
 * Run the blocks one after another and the whole model on the same seeded inputs; compare, and time them in turn.
 * @param files of the blocks, in order
 * @throws Error when the model cannot be run on made-up input
 */
export const verifyChain = async (
  model: StudiedModel,
  cuts: readonly number[],
  files: readonly string[],
  openModel: OpenModel,
  { now, rounds, seed = 'verify', threads = 1 }: VerifyOptions
): Promise<Verification> => {
  const whole = await openModel(model.analysis.file.path, { threads })
  const outputs = [...new Set(model.analysis.outputs)] // others cannot be read
  const inputs = whole.inputs.map(info => ({ ...info, type: model.facts.of(info.name).type ?? '' }))
  const blocks = await Promise.all(files.map(file => openModel(file, { threads })))
  const keep = activationsAt(model, cuts)
    .slice(1)
    .map(activation => activation.tensors.map(tensor => tensor.name))
  try {
    let worst: Difference = { maxAbsDiff: 0, maxRelDiff: 0 }
    for (let i = 0; i < INPUTS; i++) {
      const feeds = feedsFor(inputs, model.facts.inputShapes, `${seed}/${i}`)
      if (feeds === undefined) throw new Error('some input is no tensor')
      const { maxAbsDiff, maxRelDiff } = compareOutputs(
        await whole.run(feeds, outputs),
        await runChain(blocks, keep, feeds)
      )
      worst = { maxAbsDiff: Math.max(worst.maxAbsDiff, maxAbsDiff), maxRelDiff: Math.max(worst.maxRelDiff, maxRelDiff) }
    }
    const feeds = feedsFor(inputs, model.facts.inputShapes, seed)!
    const timed = await timePairs(
      () => whole.run(feeds, outputs),
      () => runChain(blocks, keep, feeds),
      now,
      rounds
    )
    return { ...worst, ...timed }
  } finally {
    await Promise.all([whole, ...blocks].map(opened => opened.close()))
  }
}

const TIMED_MS = 3000

/** The two in turn, so that whatever else happens on the machine meets both. */
const timePairs = async (
  a: () => Promise<unknown>,
  b: () => Promise<unknown>,
  now: () => number,
  asked: number | undefined
) => {
  const time = async (run: () => Promise<unknown>): Promise<number> => {
    const start = now()
    await run()
    return (now() - start) * 1000
  }
  let turn = 0
  const pair = async () => {
    if (turn++ % 2 === 0) return { a: await time(a), b: await time(b) }
    const second = await time(b) // each goes first as often as the other
    return { a: await time(a), b: second }
  }
  for (let i = 0; i < 2; i++) await pair() // warm up
  const first = await pair()
  const rounds = asked ?? Math.min(101, Math.max(15, Math.ceil(TIMED_MS / (first.a + first.b))))
  const pairs = [first]
  while (pairs.length < rounds) pairs.push(await pair())
  return {
    ratio: median(pairs.map(pair => pair.b / pair.a)),
    wholeMs: median(pairs.map(pair => pair.a)),
    chainMs: median(pairs.map(pair => pair.b))
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
