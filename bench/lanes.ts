/**
 * Lanes: what this machine's processor gives in each split among lanes and their threads, for whole models. Time of one datum by itself, and data a
 * second with all lanes at work, each in turn round after round. `npm run bench -- lanes [MODEL...]`, from the zoo.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { blockHash } from '../src/core/ids.ts'
import { type LaneChoice, laneSplits } from '../src/core/lane-splits.ts'
import { madeUpTensor } from '../src/core/made-up-tensor.ts'
import { createRng } from '../src/core/rng.ts'
import type { Tensor } from '../src/core/tensor.ts'
import { writeZooModel } from '../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../src/model/zoo/zoo.ts'
import { openLanes } from '../src/node/open-lanes.ts'
import { createEngine } from '../src/runtime/engine/create-engine.ts'
import type { Engine } from '../src/runtime/ports/engine.ts'
import { quantile } from './median.ts'

const BLOCK = blockHash('bench')
const MODELS = ['mobilenetv2', 'resnet50']
const ROUNDS = 11
/** Milliseconds of each split in a round, by itself and with all lanes; but at least so many data. */
const LASTS = 250
const LEAST = 3

interface Measured {
  readonly name: string
  readonly engine: Engine
  readonly lanes: number
  readonly alone: number[]
  readonly rates: number[]
}

const open = (lanes: LaneChoice, threads: LaneChoice): Engine =>
  openLanes({ lanes, threads, open: count => createEngine({ threads: count }), say: () => {} })

/** More threads than cores are no split that is chosen: they are here to be compared. */
const splits = (): ReturnType<typeof laneSplits> => {
  const cores = availableParallelism()
  const all = laneSplits('auto', 'auto', cores)
  return cores === 1 ? all : [...all, { lanes: cores, threads: cores }]
}

/** @returns milliseconds a datum */
const keepBusy = async (run: () => Promise<unknown>, lanes: number): Promise<number> => {
  const start = performance.now()
  let data = 0
  const lane = async (): Promise<void> => {
    for (let own = 0; own < LEAST || performance.now() - start < LASTS; own++) {
      await run()
      data++
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return (performance.now() - start) / data
}

const measure = async (model: string, folder: string): Promise<string> => {
  const file = join(folder, `${model}.onnx`)
  await writeZooModel(zooGraph(model), file, { seed: 1 })
  const measured: Measured[] = []
  let inputs: readonly Tensor[] = []
  for (const { lanes, threads } of splits()) {
    const engine = open(lanes, threads)
    const loaded = await engine.load(BLOCK, file)
    const rng = createRng('lanes')
    inputs = loaded.inputs.map(({ name, type, shape }) => ({
      ...madeUpTensor(name, type, shape as readonly number[], rng),
      isLent: true as const
    }))
    measured.push({ name: `${lanes} x ${threads}`, engine, lanes, alone: [], rates: [] })
  }
  for (let round = -1; round < ROUNDS; round++) {
    for (const { engine, lanes, alone, rates } of measured) {
      const run = (): Promise<unknown> => engine.run(BLOCK, inputs)
      const [one, all] = [await keepBusy(run, 1), await keepBusy(run, lanes)]
      if (round < 0) continue
      alone.push(one)
      rates.push(1000 / all)
    }
  }
  for (const { engine } of measured) await engine.stop()
  const base = measured.find(({ name }) => name === '1 x 1') ?? measured[0]!
  return measured.map(one => row([model, one.name, ...cells(one, base)])).join('')
}

const cells = ({ alone, rates }: Measured, base: Measured): string[] => [
  quantile(alone, 0.5).toFixed(1),
  spread(alone.map((time, i) => base.alone[i]! / time)),
  quantile(rates, 0.5).toFixed(1),
  spread(rates.map((rate, i) => rate / base.rates[i]!))
]

const spread = (ratios: readonly number[]): string => {
  const [low, middle, high] = [0.25, 0.5, 0.75].map(share => quantile(ratios, share).toFixed(2))
  return `${middle} (${low}-${high})`
}

const row = (texts: readonly string[]): string =>
  `${texts.map((text, i) => (i === 0 ? text.padEnd(14) : text.padStart(i === 1 ? 16 : 18))).join(' ')}\n`

const wanted = process.argv.slice(2)
const folder = await mkdtemp(join(tmpdir(), 'tributary-lanes-'))
try {
  process.stdout.write(`whole models, to one lane of one thread: medians of ${ROUNDS} rounds (quartiles)\n`)
  process.stdout.write(
    row(['model', 'lanes x threads', 'ms alone', 'as fast alone', 'a second in all', 'as many in all'])
  )
  for (const model of wanted.length === 0 ? MODELS : wanted) process.stdout.write(await measure(model, folder))
} finally {
  await rm(folder, { recursive: true, force: true })
}
