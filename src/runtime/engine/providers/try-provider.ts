import { compareOutputs } from '../../../core/compare-outputs.ts'
import type { BlockHash } from '../../../core/ids.ts'
import type { Tensor } from '../../../core/tensor.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import type { Engine } from '../../ports/engine.ts'

/** What came of trying a provider beside cpu: seconds of one run each, by the median, and how far apart their outputs are. */
export interface TriedProvider {
  readonly time: Seconds
  readonly cpu: Seconds
  /** The least of cpu: what must be beaten, or a busy moment of the machine would decide. */
  readonly leastOfCpu: Seconds
  /** Of the largest output. */
  readonly difference: number
}

/** The first run of a provider compiles its kernels: for minutes, where it makes an engine of the whole block. */
const FIRST_RUN: Seconds = seconds(4)
/** Rounds of one run each, as many as fit. */
const MOST_ROUNDS = 9
const LEAST_ROUNDS = 3
const ROUNDS_TAKE: Seconds = seconds(1.5)
/** Once so many times slower there is nothing more to learn. */
const HOPELESS = 3

/**
 * Run a block, loaded on both, on the same input: once each for what comes out, then by turns, so that the machine's moods hit both
 * alike. @throws EngineError where one of them does not run it
 */
export const tryProvider = async (
  cpu: Engine,
  other: Engine,
  hash: BlockHash,
  inputs: readonly Tensor[]
): Promise<TriedProvider> => {
  const lent = inputs.map((tensor): Tensor => ({ ...tensor, isLent: true }))
  const run = (engine: Engine) => engine.run(hash, lent, undefined, FIRST_RUN)
  const expected = await run(cpu)
  const { maxRelDiff: difference } = compareOutputs(expected.outputs, (await run(other)).outputs)
  const times: { readonly cpu: Seconds; readonly other: Seconds }[] = []
  for (let spent = 0; times.length < MOST_ROUNDS; ) {
    const round = { cpu: (await run(cpu)).took, other: (await run(other)).took }
    times.push(round)
    spent += round.cpu + round.other
    if (times.length >= LEAST_ROUNDS && spent > ROUNDS_TAKE) break
    if (round.other > HOPELESS * round.cpu && round.other > ROUNDS_TAKE / LEAST_ROUNDS) break
  }
  return {
    time: median(times.map(({ other: time }) => time)),
    cpu: median(times.map(({ cpu: time }) => time)),
    leastOfCpu: seconds(Math.min(...times.map(({ cpu: time }) => time))),
    difference
  }
}

const median = (times: readonly Seconds[]): Seconds => {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
