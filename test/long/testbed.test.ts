import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CpuQuota } from '../../bench/testbed/cpu-quota.ts'
import { missingForTestbed } from '../../bench/testbed/missing-for-testbed.ts'

const BENCH = fileURLToPath(new URL('../../dist/bench/testbed.js', import.meta.url))
const SCENARIO = `
devices: { porch: { speed: 0.3 }, shed: { speed: 0.4 }, attic: { speed: 0.3 } }
links:
  topology: none
  pairs: [ { from: porch, to: shed, bandwidth: 50Mbps } ]
  media: [ { name: wifi, devices: [ shed, attic ], bandwidth: 20Mbps } ]
models:
  toy:
    blocks: [ { work: 10ms, weights: 1MiB }, { work: 20ms, weights: 1MiB }, { work: 10ms, weights: 1MiB } ]
    activations: [ 60KB, 40KB, 20KB, 2KB ]
sources: [ { name: cam, device: porch, model: toy, count: 60 }, { name: door, device: attic, model: toy, count: 60 } ]
events: [ { at: 2s, device: attic, speed: 0.15 }, { at: 2s, link: porch->shed, bandwidth: 20Mbps } ]
`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-testbed-test-'))
  await writeFile(join(folder, 'yard.yaml'), SCENARIO)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Namespaces and control groups of this process' children, while they are there and after. */
const left = async (): Promise<string[]> =>
  [
    ...execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n'),
    ...(await readdir(await CpuQuota.root()))
  ].filter(name => /^tributary-\d+/.test(name))

const start = (scratch: string) => {
  const child = spawn(process.execPath, [BENCH, join(folder, 'yard.yaml')], {
    env: { ...process.env, TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve =>
    child.once('close', code => resolve({ code, stdout, stderr }))
  )
  return { child, ended, said: () => stderr }
}

const because = await missingForTestbed()
if (because !== undefined) process.stdout.write(`the testbed is not tested here: ${because}\n`)

describe.skipIf(because !== undefined)('the testbed: namespaces, token buckets, quotas', () => {
  test('runs a scenario with a link, a medium and events, beside the portable emulation, and leaves nothing', async () => {
    const scratch = await mkdtemp(join(folder, 'whole-'))
    const { code, stdout, stderr } = await start(scratch).ended
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    const rows = stdout.split('\n').filter(line => line.startsWith('yard'))
    expect(rows).toHaveLength((await CpuQuota.canHoldThreads()) ? 2 : 1) // blocks, and the whole process
    for (const row of rows) expect(row).toMatch(/\s0$/) // lost
    const deviation = Number(/([+-][\d.]+) %/.exec(rows[0]!)![1])
    expect(Math.abs(deviation)).toBeLessThan(20)
    expect(await left()).toEqual([])
    expect(await readdir(scratch)).toEqual([])
  }, 300_000)

  test('interrupted, it leaves nothing either', async () => {
    const scratch = await mkdtemp(join(folder, 'half-'))
    const { child, ended, said } = start(scratch)
    while (!said().includes('cam 1')) await new Promise(resolve => setTimeout(resolve, 50))
    expect((await left()).length).toBeGreaterThan(3)
    child.kill('SIGINT')
    while (!said().includes('removing the testbed')) await new Promise(resolve => setTimeout(resolve, 50))
    for (const impatient of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) child.kill(impatient)
    expect((await ended).code).toBe(130)
    expect(await left()).toEqual([])
    expect(await readdir(scratch)).toEqual([])
  }, 120_000)
})
