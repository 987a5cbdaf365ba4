import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DatumStep } from '../../src/runtime/ports/datum-step.ts'
import { tinyOnnx } from '../../src/testing/tiny-onnx.ts'
import { start } from '../started-nodes.ts'

const SIDE = 320

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-lanes-'))
  writeFileSync(
    join(folder, 'dense.onnx'),
    tinyOnnx({
      inputs: { x: ['float32', [SIDE, SIDE]] },
      outputs: { y: ['float32', [SIDE, SIDE]] },
      nodes: ['x', 'a', 'b', 'c', 'd'].flatMap((from, i) => [
        { opType: 'MatMul', input: [from, 'w'], output: [`p${i}`] },
        { opType: 'Tanh', input: [`p${i}`], output: [['a', 'b', 'c', 'd', 'y'][i]!] }
      ]),
      initializers: [
        {
          ...{ name: 'w', dataType: 1, dims: [BigInt(SIDE), BigInt(SIDE)] },
          floatData: Array.from({ length: SIDE ** 2 }, (_, i) => (((i * 7) % 11) - 5) / 64)
        }
      ]
    })
  )
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A node by itself that has so many data for the model. */
const lone = (name: string, count: number, flags: readonly string[]) =>
  start(name, [
    ...['--state', join(folder, name), '--model', `${join(folder, 'dense.onnx')}:dense`, '--blocks', 'dense=2'],
    ...['--source', `s=synthetic:${count},model=dense`, '--sink', join(folder, `${name}.jsonl`), ...flags]
  ])

const resultsOf = (name: string): Map<number, string> => {
  const lines = readFileSync(join(folder, `${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
  return new Map(
    lines.map(line => {
      const { datum, result } = JSON.parse(line) as { readonly datum: number; readonly result: unknown }
      return [datum, JSON.stringify(result)]
    })
  )
}

test('a node of two lanes runs two data at once, and comes to what one lane comes to', async () => {
  const trace = join(folder, 'trace.jsonl')
  const two = lone('two', 24, ['--lanes', '2', '--threads', '1', '--trace', trace, '--exit-when-done'])
  const status = await two.status(({ sources }) => sources.some(({ completed }) => completed === 24))
  expect(await two.ended).toBe(0)
  const { lanes, split, models } = status.devices[0]!
  expect([lanes, split]).toEqual([2, null])
  // Each lane has its own copy.
  expect(models['dense']!.residentBytes).toBeGreaterThanOrEqual(2 * 4 * SIDE ** 2)
  const lines = readFileSync(trace, 'utf8').split('\n')
  const ran = lines.flatMap(line => {
    const step = line === '' ? undefined : (JSON.parse(line) as DatumStep)
    return step?.did === 'ran' ? [step] : []
  })
  const beside = ran.filter(a => ran.some(b => b.datum !== a.datum && b.start <= a.start && a.start < b.end))
  expect(beside.length).toBeGreaterThan(0.3 * ran.length)
  const one = lone('one', 24, ['--exit-when-done'])
  expect(await one.ended).toBe(0)
  expect(resultsOf('two').size).toBe(24)
  expect(resultsOf('two')).toEqual(resultsOf('one'))
})

test('a node that chooses its lanes says what it took, and why', async () => {
  const node = lone('auto', 100_000, ['--lanes', 'auto', '--threads', 'auto'])
  const status = await node.status(({ devices }) => devices[0]!.split?.because.includes('% used; ') === true)
  const { lanes, split } = status.devices[0]!
  expect(split!.because).toMatch(/1 lane of 1 thread: [\d.]+ ms alone, [\d.]+\/s in all/)
  const threads = (count: number): string => `${count} thread${count === 1 ? '' : 's'}`
  await expect
    .poll(() => node.log())
    .toContain(`runs blocks in ${lanes} lane${lanes === 1 ? '' : 's'} of ${threads(split!.threads)} (`)
  await node.next(({ sources }) => sources[0]!.completed > 0)
})
