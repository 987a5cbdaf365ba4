import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeZooModel } from '../../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import { createEngine } from '../../src/runtime/engine/create-engine.ts'
import { createBlobStore } from '../../src/runtime/network/disk-blob-store.ts'
import { prepareOwnedModel } from '../../src/runtime/onnx/prepare-owned-model.ts'
import { median } from '../median.ts'
import { type GrpcVariant, startGrpc } from './grpc-system.ts'
import { processorTime } from './processor-time.ts'
import { routesOf } from './routes.ts'
import type { Placed, Result, System, SystemJob } from './system-job.ts'
import { startTributary } from './tributary-system.ts'

const ROUNDS = 3
const WARM_UP_S = 4
/** Where what a result costs is compared: by then most of what runs is compiled. */
const LONG_WARM_UP_S = 15
const MEASURED_S = 10
const BLOCKS = 12
/** What a source has at once. */
const WINDOW = 16
/** Together half a core, so that there is room for what is not inference; memory as share of the model. */
const DEVICES = [
  { name: 'attic', speed: 0.2, share: 0.8 },
  { name: 'porch', speed: 0.15, share: 0.6 },
  { name: 'shed', speed: 0.1, share: 0.5 },
  { name: 'gate', speed: 0.05, share: 0.4 }
]
const SOURCES = [
  { name: 'street', device: 1 },
  { name: 'garden', device: 3 }
]
/** Arrivals when not saturated, as share of what the best of the gRPC systems gets through. */
const LOAD = 0.6
/** Of each source, which all of them get through: what a result costs at the same rate. */
const EQUAL = 'every:133ms'

const TRIBUTARY = 'tributary (TLS)'
/** The first is the one that is written first. */
const VARIANTS: Readonly<Record<string, GrpcVariant>> = {
  'gRPC (TLS)': { direction: 'push', isSecret: true, isLoopFree: false },
  'gRPC (TLS), wide window': { direction: 'pull', isSecret: true, isLoopFree: false },
  'gRPC (plain), wide window': { direction: 'pull', isSecret: false, isLoopFree: false },
  'gRPC (TLS), wide window, free loop': { direction: 'pull', isSecret: true, isLoopFree: true }
}

type Job = Omit<SystemJob, 'folder' | 'arrivals'>

const prepareJob = async (folder: string): Promise<Job> => {
  const model = join(folder, 'model.onnx')
  const { bytes } = await writeZooModel(zooGraph('mobilenetv2'), model, { seed: 1 })
  const blobs = createBlobStore({ folder: join(folder, 'blobs') })
  const models = join(folder, 'models')
  await mkdir(models)
  await using engine = createEngine()
  const manifest = await prepareOwnedModel(
    { file: model, name: 'net', shapes: new Map(), maxBlocks: BLOCKS, cutAt: [], folder: models },
    { engine, blobs, speed: 1, say: () => {} }
  )
  const blocks = await Promise.all(manifest.blocks.map(async ({ sha256 }) => (await blobs.find(sha256))!))
  const devices = DEVICES.map(({ name, speed, share }) => ({ name, speed, memory: Math.ceil(share * bytes) }))
  return { model, manifest, blocks, devices, sources: SOURCES, count: 8000, window: WINDOW, seed: '1' }
}

interface Measured {
  /** Results a second. */
  readonly rate: number
  /** Seconds, mean. */
  readonly time: number
  /** Seconds of processor time a result, of all processes, inference included. */
  readonly processor: number
  /** Digests by source and item. */
  readonly digests: ReadonlyMap<string, string>
}

const pause = (s: number): Promise<void> => new Promise(resolve => setTimeout(resolve, 1000 * s))

const measure = async (system: System, warmUp: number): Promise<Measured> => {
  try {
    system.begin()
    await pause(warmUp)
    const before = await system.results()
    const startedAt = performance.now()
    const usedBefore = processorTime(system.pids)
    await pause(MEASURED_S)
    const after = await system.results()
    const took = (performance.now() - startedAt) / 1000
    const counted = after.flatMap((own, n) => own.slice(before[n]!.length))
    const processor = (processorTime(system.pids) - usedBefore) / counted.length
    const time = counted.reduce((sum, { inferenceTime }) => sum + inferenceTime, 0) / counted.length
    return { rate: counted.length / took, time, processor, digests: digestsOf(after) }
  } finally {
    await system.stop()
  }
}

const digestsOf = (results: readonly (readonly Result[])[]): ReadonlyMap<string, string> =>
  new Map(results.flatMap((own, source) => own.map(({ item, digest }) => [`${source} ${item}`, digest] as const)))

/** Both computed the same from the same data. @returns on how many data they met */
const sameResults = (a: Measured, b: Measured): number => {
  const common = [...a.digests].filter(([datum]) => b.digests.has(datum))
  const other = common.filter(([datum, digest]) => b.digests.get(datum) !== digest)
  if (other.length > 0) throw new Error(`${other.length} of ${common.length} results differ, first ${other[0]![0]}`)
  return common.length
}

interface Compared {
  readonly runs: ReadonlyMap<string, readonly Measured[]>
  readonly placement: Placed
  /** Data on which the systems were compared, results equal. */
  readonly met: number
}

/** Tributary, then each peer with the placement that Tributary had; and all over again. */
const compare = async (
  job: Job,
  folder: string,
  arrivals: string,
  names: readonly string[],
  warmUp = WARM_UP_S
): Promise<Compared> => {
  const runs = new Map([TRIBUTARY, ...names].map(name => [name, [] as Measured[]]))
  let placement: Placed = []
  let met = 0
  for (let round = 0; round < ROUNDS; round++) {
    const full = { ...job, arrivals, folder: await mkdtemp(join(folder, 'run-')) }
    const tributary = await startTributary(full)
    placement = tributary.placement
    const own = await measure(tributary, warmUp)
    runs.get(TRIBUTARY)!.push(own)
    for (const name of names) {
      const peer = await measure(await startGrpc(full, placement, VARIANTS[name]!), warmUp)
      runs.get(name)!.push(peer)
      met += sameResults(own, peer)
    }
  }
  return { runs, placement, met }
}

const middle = (runs: readonly Measured[], of: (run: Measured) => number): number => median(runs.map(of))
const rateOf = (runs: readonly Measured[]): number => middle(runs, ({ rate }) => rate)
const timeOf = (runs: readonly Measured[]): number => middle(runs, ({ time }) => time)
const processorOf = (runs: readonly Measured[]): number => middle(runs, ({ processor }) => processor)

const report = ({ runs, met }: Compared): void => {
  const own = runs.get(TRIBUTARY)!
  console.table(
    [...runs].map(([name, all]) => ({
      name,
      'results/s': Number(rateOf(all).toFixed(1)),
      'each run': all.map(({ rate }) => rate.toFixed(1)).join(' '),
      'of tributary': Number((rateOf(all) / rateOf(own)).toFixed(2)),
      'mean time, ms': Number((1000 * timeOf(all)).toFixed(0)),
      'each run, ms': all.map(({ time }) => (1000 * time).toFixed(0)).join(' '),
      'of tributary, time': Number((timeOf(all) / timeOf(own)).toFixed(2)),
      'processor, ms a result': Number((1000 * processorOf(all)).toFixed(1)),
      'each run, processor': all.map(({ processor }) => (1000 * processor).toFixed(1)).join(' '),
      'tributary takes, times': Number((processorOf(own) / processorOf(all)).toFixed(2))
    }))
  )
  process.stdout.write(`${met} results compared, all equal\n`)
}

const sayLoad = (when: string): void => {
  process.stdout.write(`load of the machine ${when}: ${loadavg()[0]!.toFixed(1)}\n`)
}

const describe = ({ manifest }: Job, placement: Placed): void => {
  const whole = manifest.blocks.reduce((sum, { work }) => sum + work, 0)
  const speeds = DEVICES.map(({ name, speed }, n) => `${name} ${speed}: ${placement[n]!.join(' ')}`)
  const routes = routesOf(placement, manifest.blocks.length)
  const legs = routes.map(route => route.map(({ device }) => DEVICES[device]!.name).join('-'))
  process.stdout.write(
    `MobileNetV2, ${(1000 * whole).toFixed(1)} ms at speed 1, ${manifest.blocks.length} blocks; devices, speeds, blocks: ${speeds.join('; ')}\n`
  )
  process.stdout.write(`${routes.length} routes: ${legs.join(', ')}\n`)
}

const LOADS = ['saturated', 'loaded', 'equal'] as const
const asked = process.argv.slice(2)
const isAsked = (load: (typeof LOADS)[number]): boolean => asked.length === 0 || asked.includes(load)

const folder = await mkdtemp(join(tmpdir(), 'tributary-peers-'))
try {
  const job = await prepareJob(folder)
  const names = Object.keys(VARIANTS)
  sayLoad('before')
  const times = `${ROUNDS} runs of ${MEASURED_S} s each in turn`
  if (isAsked('saturated') || isAsked('loaded')) {
    const saturated = await compare(job, folder, 'saturated', names)
    describe(job, saturated.placement)
    process.stdout.write(`\nsaturated, window ${WINDOW} a source; ${times}, after ${WARM_UP_S} s; medians\n`)
    report(saturated)
    if (isAsked('loaded')) {
      const best = Math.max(...names.map(name => rateOf(saturated.runs.get(name)!)))
      const rate = ((LOAD * best) / SOURCES.length).toFixed(2)
      const loaded = await compare(job, folder, `poisson:${rate}/s`, names)
      process.stdout.write(
        `\nloaded: each source ${rate}/s, ${100 * LOAD} % of what the best gRPC system gets through; the same\n`
      )
      report(loaded)
    }
  }
  if (isAsked('equal')) {
    const equal = await compare(job, folder, EQUAL, names, LONG_WARM_UP_S)
    process.stdout.write(`\nat equal rates, each source ${EQUAL}; ${times}, after ${LONG_WARM_UP_S} s; medians\n`)
    report(equal)
  }
  sayLoad('after')
} finally {
  await rm(folder, { recursive: true, force: true })
}
