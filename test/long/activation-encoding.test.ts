import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PolicyRun, RunReport } from '../../src/report/run-report.ts'
import { MAIN } from '../../src/testing/node-process.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-encoding-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Every datum has to cross the link, which is what all wait for: 160 ms for 100 KB. */
const SLOW = `
devices: { porch: { speed: 0.2, memory: 1MiB }, shed: { speed: 0.3 } }
links: { default: { bandwidth: 5Mbps, latency: 3ms } }
models:
  m: { blocks: [{ work: 2ms, weights: 2MiB }, { work: 2ms, weights: 2MiB }], activations: [100KB, 60KB, 400B] }
sources: [{ name: cam, device: porch, model: m, count: 24, window: 8 }]
`

const emulate = async (...flags: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  const file = join(folder, 'slow.yaml')
  await writeFile(file, SLOW)
  const child = spawn(process.execPath, [MAIN, 'emulate', file, '--policy', 'confluence', '--json', ...flags])
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', chunk => {
      said[name] += chunk
    })
  return new Promise(resolve => child.once('close', code => resolve({ code, ...said })))
}

const runOf = async (choice: string): Promise<PolicyRun> => {
  const { code, stdout, stderr } = await emulate('--activation-encoding', choice)
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return (JSON.parse(stdout) as RunReport).runs[0]!
}

const sent = ({ links }: PolicyRun): number => links.find(({ from }) => from === 'porch')!.bytes

test('auto sends a quarter of the bytes over a slow link, and results come home faster and nearly the same', async () => {
  const exact = await runOf('fp32')
  const auto = await runOf('auto')
  for (const { sources } of [exact, auto]) expect(sources[0]).toMatchObject({ completed: 24, lost: 0 })
  expect(exact.encoding).toBeUndefined()
  expect(auto.encoding!.links).toContainEqual({ from: 'porch', to: 'shed', encoding: 'int8' })
  expect(sent(auto) / sent(exact)).toBeLessThan(0.35)
  expect(auto.throughput / exact.throughput).toBeGreaterThan(1.7)
  const { compared, maxDifference, largest } = auto.encoding!
  expect(compared).toBeGreaterThan(100)
  expect(maxDifference! / largest!).toBeLessThan(0.02)
})

test('an encoding that is none is refused in one line', async () => {
  const { code, stderr } = await emulate('--activation-encoding', 'fp8')
  expect(code).toBe(2)
  expect(stderr).toMatch(/--activation-encoding "fp8" is not an encoding.*known: auto, fp32, fp16, int8/)
})
