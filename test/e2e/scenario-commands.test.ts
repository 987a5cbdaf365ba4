import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { POLICY_NAMES } from '../../src/scheduler/policies.ts'
import { MAIN } from '../../src/testing/node-process.ts'

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const tributary = (...args: string[]): Promise<Ran> =>
  new Promise(resolve => {
    execFile(process.execPath, [MAIN, ...args], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })

const SMALL = `
devices:
  porch: { speed: 0.3, memory: 4MiB }
  shed: { speed: 0.5, memory: 8MiB }
links:
  topology: none
  media: [ { name: wifi, devices: [porch, shed], bandwidth: 40Mbps, latency: 2ms } ]
models:
  toy: { blocks: [ { work: 12ms, weights: 3MiB }, { work: 10ms, weights: 3MiB } ], activations: [120KB, 60KB, 4KB] }
sources:
  - { name: cam, device: porch, model: toy, count: 40, window: 8 }
  - { name: door, device: shed, model: toy, count: 40, window: 8, arrivals: { poisson: 8/s } }
`

let folder: string
const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-scenarios-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('plan', () => {
  test('--json: bounds, placement within memory, predicted rates, gap, words', async () => {
    const { code, stdout } = await tributary('plan', await file('small.yaml', SMALL), '--json')
    expect(code).toBe(0)
    const plan = JSON.parse(stdout)
    expect(plan).toMatchObject({
      status: 'optimal',
      gap: expect.any(Number),
      because: expect.stringContaining('bottleneck')
    })
    expect(plan.bound.scale).toBeGreaterThanOrEqual(plan.boundWithMemory.scale)
    expect(plan.boundWithMemory.scale).toBeGreaterThanOrEqual(plan.predicted.scale * (1 - 1e-9))
    expect(plan.predicted.rates.door).toBeCloseTo(8 * plan.predicted.rates.cam, 6)
    expect(plan.placement.porch.toy.length).toBe(1) // 3 MiB of 4
    expect(plan.bound.latency.cam).toBeGreaterThan(0)
  })

  test('infeasible: exit 1, the block, its size and the largest device', async () => {
    const path = await file('tight.yaml', SMALL.replaceAll('weights: 3MiB', 'weights: 9MiB'))
    const { code, stdout } = await tributary('plan', path, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'infeasible',
      because: expect.stringMatching(/block 0 of toy.*9.00 MiB.*shed/)
    })
  })

  test('bad input: exit 2 and one line that helps', async () => {
    const path = await file('typo.yaml', SMALL.replace('memory: 4MiB', 'memori: 4MiB'))
    const { code, stdout, stderr } = await tributary('plan', path, '--json')
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/typo.yaml: devices.porch: unknown key "memori", did you mean "memory"\?/)
  })
})

describe('simulate', () => {
  test('all policies, the documented shape; the same seed, the same bytes', async () => {
    const path = await file('small.yaml', SMALL)
    const [one, two] = [
      await tributary('simulate', path, '--policy', 'all', '--json'),
      await tributary('simulate', path, '--policy', 'all', '--json')
    ]
    expect(one.code).toBe(0)
    expect(two.stdout).toBe(one.stdout)
    const { runs, bound } = JSON.parse(one.stdout)
    expect(runs.map((run: { policy: string }) => run.policy)).toEqual(POLICY_NAMES)
    const confluence = runs.find((run: { policy: string }) => run.policy === 'confluence')
    expect(confluence).toMatchObject({
      seed: 1,
      emulated: false,
      sources: [
        { name: 'cam', admitted: 40, completed: 40, lost: 0 },
        { name: 'door', admitted: 40, completed: 40, lost: 0 }
      ],
      devices: [{ name: 'porch' }, { name: 'shed' }],
      links: [
        { from: 'porch', to: 'shed' },
        { from: 'shed', to: 'porch' }
      ]
    })
    expect(Object.keys(bound)).toEqual(['scale', 'rates', 'latency'])
    // porch cannot carry the model whole.
    expect(runs.find((run: { policy: string }) => run.policy === 'local').because).toMatch(/local needs all 2 blocks/)
  })

  test('a policy asked for by name that cannot run: exit 1 and why', async () => {
    const { code, stderr } = await tributary('simulate', await file('small.yaml', SMALL), '--policy', 'local')
    expect(code).toBe(1)
    expect(stderr).toContain('local needs all 2 blocks of toy on porch')
  })

  test('--activation-encoding: a quarter of the bytes over a slow link is up to four times as fast', async () => {
    const slow = fileURLToPath(new URL('../../scenarios/slow-link.yaml', import.meta.url))
    const throughput = async (name: string): Promise<number> => {
      const { stdout } = await tributary('simulate', slow, '--json', '--activation-encoding', name)
      return JSON.parse(stdout).runs[0].throughput
    }
    const [plain, small] = [await throughput('fp32'), await throughput('int8')]
    expect(small / plain).toBeGreaterThan(1.5)
    expect(small / plain).toBeLessThan(4)
    expect((await tributary('simulate', slow, '--activation-encoding', 'int4')).code).toBe(2)
  })

  test('--trace and --report', async () => {
    const out = join(folder, 'out')
    const trace = join(folder, 'trace.json')
    const { code } = await tributary(
      'simulate',
      await file('small.yaml', SMALL),
      '--trace',
      trace,
      '--report',
      out,
      '--seeds',
      '3'
    )
    expect(code).toBe(0)
    expect(JSON.parse(await readFile(trace, 'utf8')).traceEvents.length).toBeGreaterThan(100)
    expect(await readFile(join(out, 'index.html'), 'utf8')).toContain('<svg')
    expect(await readdir(join(out, 'figures'))).toContain('throughput.svg')
  })
})

describe('emulate', () => {
  test('a speed that this machine does not have: exit 2', async () => {
    const { code, stderr } = await tributary(
      'emulate',
      await file('fast.yaml', SMALL.replace('speed: 0.5', 'speed: 2'))
    )
    expect(code).toBe(2)
    expect(stderr).toMatch(/devices.shed.speed 2: an emulated device is at most as fast/)
    const later = `${SMALL}events: [ { at: 3s, device: porch, speed: 1.5 } ]\n`
    const { code: late, stderr: why } = await tributary('emulate', await file('faster.yaml', later))
    expect(late).toBe(2)
    expect(why).toContain('events: speed 1.5 of porch at 3 s: an emulated device is at most as fast')
  })

  test('what is to be written is tried before a long run, not after it', async () => {
    const scenario = await file('small.yaml', SMALL)
    for (const command of ['simulate', 'emulate'])
      for (const flag of ['--trace', '--report']) {
        const { code, stderr } = await tributary(command, scenario, flag, join(scenario, 'below'))
        expect(code).toBe(2)
        expect(stderr).toMatch(new RegExp(`^tributary: ${flag} .*below: `, 'm'))
        expect(stderr).not.toContain('starting')
      }
  })
})
