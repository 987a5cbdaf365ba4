import {
  type Difference,
  largestDifference,
  magnitudeOf,
  type OutputDifference,
  outputDifferences
} from '../../core/compare-outputs.ts'
import type { Tensor } from '../../core/tensor.ts'
import type { StudiedModel } from '../cut-model.ts'
import { activationsAt } from '../cut-model.ts'
import type { OpenedModel, OpenModel, OpenModelOptions } from '../open-model.ts'
import { runChain } from '../run-chain.ts'
import { feedsFor } from '../tensor-facts.ts'
import { type Tolerance, toleranceOf } from '../tolerance.ts'
import { openWhole } from './open-whole.ts'

/** One output, over all inputs that were tried. */
export interface VerifiedOutput extends OutputDifference {
  readonly tolerance: Tolerance
  /** The difference that the tolerance allows at these magnitudes. */
  readonly allowed: number
  readonly ok: boolean
}

export interface Verification extends Difference {
  readonly ok: boolean
  readonly outputs: readonly VerifiedOutput[]
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
  /** What to compare on: each a tensor for every input. @default seeded input, several times */
  readonly inputs?: readonly (readonly Tensor[])[]
}

/** More inputs than one: a difference may show only for some values. */
const INPUTS = 3

/**
 * Run the blocks one after another and the whole model on the same inputs; compare, and time them in turn.
 * @param files of the blocks, in order
 * @throws Error when the model cannot be run on these inputs
 */
export const verifyChain = async (
  model: StudiedModel,
  cuts: readonly number[],
  files: readonly string[],
  openModel: OpenModel,
  { now, rounds, seed = 'verify', threads = 1, inputs }: VerifyOptions
): Promise<Verification> => {
  const whole = await openWhole(model.analysis.file.path, model.analysis, openModel, { threads })
  const wanted = [...new Set(model.analysis.outputs)] // others cannot be read
  const blocks = await Promise.all(files.map(file => openModel(file, { threads })))
  const keep = activationsAt(model, cuts)
    .slice(1)
    .map(activation => activation.tensors.map(tensor => tensor.name))
  try {
    const given = inputs ?? Array.from({ length: INPUTS }, (_, i) => seeded(model, whole, `${seed}/${i}`))
    const outputs = await compared(model, given, { ...whole, run: feeds => whole.run(feeds, wanted) }, blocks, keep)
    const feeds = given[0]!
    const timed = await timePairs(
      () => whole.run(feeds, wanted),
      () => runChain(blocks, keep, feeds),
      now,
      rounds
    )
    return { ...largestDifference(outputs), ok: outputs.every(output => output.ok), outputs, ...timed }
  } finally {
    await Promise.all([whole, ...blocks].map(opened => opened.close()))
  }
}

const seeded = (model: StudiedModel, whole: OpenedModel, seed: string): readonly Tensor[] => {
  const inputs = whole.inputs.map(info => ({ ...info, type: model.facts.of(info.name).type ?? '' }))
  const feeds = feedsFor(inputs, model.facts.inputShapes, seed)
  if (feeds === undefined) throw new Error('some input is no tensor')
  return feeds
}

const compared = async (
  model: StudiedModel,
  inputs: readonly (readonly Tensor[])[],
  whole: OpenedModel,
  blocks: readonly OpenedModel[],
  keep: readonly (readonly string[])[]
): Promise<VerifiedOutput[]> => {
  const worst = new Map<string, OutputDifference>()
  let largest = 0
  const measured = blocks.map(block => ({
    ...block,
    run: (feeds: readonly Tensor[]) => {
      for (const tensor of feeds) largest = Math.max(largest, magnitudeOf(tensor))
      return block.run(feeds)
    }
  }))
  for (const feeds of inputs) {
    for (const found of outputDifferences(await whole.run(feeds), await runChain(measured, keep, feeds))) {
      const { difference = 0, magnitude = 0 } = worst.get(found.name) ?? {}
      worst.set(found.name, {
        ...found,
        difference: Math.max(difference, found.difference),
        magnitude: Math.max(magnitude, found.magnitude)
      })
    }
  }
  return [...worst.values()].map(output => judged(output, toleranceOf(model, output.name, output.type), largest))
}

/** @param largest magnitude of what went into a block */
const judged = (output: OutputDifference, tolerance: Tolerance, largest: number): VerifiedOutput => {
  const { relative, absolute, steps = 0 } = tolerance
  const allowed = Math.max(relative * output.magnitude, absolute * Math.min(1, largest)) + steps
  return { ...output, tolerance, allowed, ok: output.difference <= allowed }
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
