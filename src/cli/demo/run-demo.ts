import { join } from 'node:path'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import { formatBytes } from '../../core/format-quantity.ts'
import { NoAnswerError } from '../../core/user-error.ts'
import { reduceCtcOutput } from '../../model/files/reduce-output.ts'
import { foldText } from '../../report/fold-text.ts'
import type { PolicyName } from '../../scheduler/policies.ts'
import { declaredTimes } from './declared-times.ts'
import { DEMO_DEVICES, DEMO_SOURCES } from './demo-cluster.ts'
import { findImages, type SourceImages } from './demo-images.ts'
import {
  allRight,
  type DemoDocument,
  describeEncoding,
  deviceTable,
  openOrders,
  policyTable,
  speedups,
  textSamples
} from './demo-report.ts'
import type { KillOrder } from './kill-order.ts'
import { ocrModelPath } from './ocr-model-path.ts'
import { plainAnswers } from './plain-answers.ts'
import { PolicyClusters } from './policy-clusters.ts'
import { type PolicyOutcome, policyOutcome } from './policy-outcome.ts'
import { renderImages } from './render-images.ts'
import { type Round, roundsOf } from './rounds-of.ts'
import type { RunView } from './run-view.ts'
import { withScratch } from './with-scratch.ts'

export interface DemoOptions {
  readonly policies: readonly PolicyName[]
  readonly activationEncoding: EncodingChoice
  /** A folder of images; drawn from the seed when not given. */
  readonly images: string | undefined
  readonly imagesPerSource: number
  readonly kill: KillOrder | undefined
  readonly seed: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly view: RunView
  /** Results for people, where no JSON is asked for. */
  readonly print: (text: string) => void
}

/** The main job on this machine, from nothing. Leaves nothing behind but what it returns. */
export const runDemo = (options: DemoOptions): Promise<DemoDocument> => withScratch(scratch => runIn(scratch, options))

const runIn = async (scratch: string, options: DemoOptions): Promise<DemoDocument> => {
  const { view, signal, print } = options
  const images = await prepareImages(scratch, options)
  introduce(view)
  const model = ocrModelPath()
  const { texts: expected, confidences } = await plainAnswers({ modelFile: model, images, signal, view })
  const modelFile = join(scratch, 'ocr.onnx')
  await reduceCtcOutput(model, modelFile)
  const work = await declaredTimes(modelFile)
  const runners = options.policies.map(
    policy =>
      new PolicyClusters({
        ...{ ...options, policy, modelFile, work, images, expected },
        folder: join(scratch, 'runs', policy)
      })
  )
  await readAll(runners, roundsOf(images), options)
  const outcomes: PolicyOutcome[] = []
  for (const runner of runners)
    outcomes.push(policyOutcome(await runner.record(), { expected, confidences }, options.activationEncoding))
  const runs = outcomes.map(({ run }) => run)
  print(describe(outcomes, images, expected, options.kill))
  return { devices: DEMO_DEVICES.map(device => ({ ...device, emulated: true })), runs, speedup: speedups(runs) }
}

/** Memory of one device's process with its blocks, in bytes. */
const PROCESS = 130e6

/** Round after round, the policies in turn. All clusters wait for their turn side by side where there is memory for that. */
const readAll = async (
  runners: readonly PolicyClusters[],
  rounds: readonly Round[],
  { kill, view, signal }: DemoOptions
): Promise<void> => {
  const processes = runners.length * DEMO_DEVICES.length
  const stay = kill === undefined && processes * PROCESS < process.availableMemory() / 2
  try {
    if (stay) {
      view.say(`starting ${processes} devices: a cluster for each policy ...`)
      await allOf(runners.map(runner => runner.start()))
    }
    for (const [round, images] of rounds.entries()) {
      for (const runner of inTurn(runners, round)) {
        signal.throwIfAborted()
        const which = rounds.length === 1 ? '' : ` (round ${round + 1} of ${rounds.length})`
        view.say(`\n${runner.policy}${which}: ${ABOUT[runner.policy] ?? ''}`)
        await runner.start()
        await runner.read(images)
        if (!stay) await runner.stop()
      }
    }
  } finally {
    await Promise.all(runners.map(runner => runner.stop()))
  }
}

/** When all have ended, well or not. @throws what the first of them threw */
const allOf = async (all: readonly Promise<void>[]): Promise<void> => {
  await Promise.allSettled(all)
  await Promise.all(all)
}

/** What the machine does in one minute then falls on each policy alike: nobody is always first. */
const inTurn = <T>(all: readonly T[], round: number): T[] => all.map((_, i) => all[(i + round) % all.length]!)

/** @throws NoAnswerError that says which run lost, repeated or misread something */
export const requireAllRight = ({ runs }: DemoDocument): void => {
  const bad = runs.filter(run => !allRight(run)).map(run => run.policy)
  if (bad.length > 0) throw new NoAnswerError(`not every text was right, once: see the rows of ${bad.join(', ')}`)
}

const ABOUT: Readonly<Record<string, string>> = {
  local: 'each source computes its own images. Memory limits are ignored here: the porch could not carry the model.',
  ddi: 'whole images go to devices that carry the whole model.',
  'ms-mdi': 'block by block, each next block where it is expected to be done first (a reconstruction).',
  confluence: 'each image gets a whole path through the devices when it is admitted, by price.'
}

const introduce = (view: RunView): void => {
  view.say('Four emulated devices, four processes on this machine; every number below is emulated.')
  for (const { name, speed, memory, link, source } of DEMO_DEVICES) {
    view.say(
      `  ${name.padEnd(6)} speed ${speed.toFixed(2)}, memory for blocks ${formatBytes(memory)}, links ${link.rate} ${link.latency}` +
        `${source ? ', a source of images' : ''}`
    )
  }
}

const prepareImages = async (scratch: string, options: DemoOptions): Promise<SourceImages[]> => {
  const { images, imagesPerSource, seed, view } = options
  if (images !== undefined) return findImages(images, DEMO_SOURCES, join(scratch, 'images'))
  view.say(`drawing ${imagesPerSource} text lines for each of ${DEMO_SOURCES.join(' and ')} (seed ${seed}) ...`)
  const folder = join(scratch, 'images')
  await renderImages(folder, { sources: DEMO_SOURCES, imagesPerSource, seed })
  return findImages(folder, DEMO_SOURCES, scratch)
}

const describe = (
  outcomes: readonly PolicyOutcome[],
  images: readonly SourceImages[],
  expected: ReadonlyMap<string, ReadonlyMap<string, string>>,
  kill: KillOrder | undefined
): string => {
  const last = outcomes.at(-1)!
  const disturbed = outcomes.filter(({ run }) => run.disturbance > DISTURBED)
  const speedup = Object.entries(speedups(outcomes.map(({ run }) => run)))
  return [
    '',
    textSamples(images, last, expected, 4),
    '',
    foldText(emulatedNote(outcomes)),
    '',
    policyTable(outcomes),
    ...openOrders(outcomes.map(({ run }) => run)).map(text => foldText(text)),
    '',
    'Blocks carried, their memory, time spent computing (local ignores memory limits):',
    '',
    deviceTable(outcomes),
    ...outcomes.flatMap(({ run }) => describeEncoding(run)),
    ...(disturbed.length === 0 ? [] : ['', foldText(disturbedNote(disturbed))]),
    ...(kill === undefined ? [] : ['', `${kill.device} was killed (kill -9) ${kill.after} s into each round.`]),
    '',
    ...speedup.map(([pair, ratio]) => `speedup ${pair}: ${ratio.toFixed(2)}`)
  ].join('\n')
}

/** Blocks that take so much longer than declared are another network than the demo's. */
const DISTURBED = 0.05

const emulatedNote = (outcomes: readonly PolicyOutcome[]): string => {
  const { rounds } = outcomes[0]!.run
  const spread =
    rounds.length === 1
      ? ''
      : ` ${rounds.length} rounds, the policies in turn; a round is the mean of theirs and its 95 % interval.`
  return `All numbers are emulated: one machine, slowed devices, paced links, declared times of blocks.${spread}`
}

const disturbedNote = (outcomes: readonly PolicyOutcome[]): string => {
  const each = outcomes.map(({ run }) => `${run.policy} ${(100 * run.disturbance).toFixed(0)} %`)
  return `This machine was too busy for these devices: blocks took longer than declared (${each.join(', ')}), so the rates are lower than they should be.`
}
