import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChromeTrace } from '../../src/report/chrome-trace.ts'
import type { PolicyRun } from '../../src/report/run-report.ts'
import { emulateIn, MODELS } from '../emulate-process.ts'
import { threadsOf } from '../threads-of.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-emulate-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const { start, emulate, emulatedReport } = emulateIn(() => folder)

const byLink = ({ links }: PolicyRun): Record<string, number> =>
  Object.fromEntries(links.map(({ from, to, bytes }) => [`${from}->${to}`, bytes]))

/** When each datum was available, or at home, in microseconds, by policy, source and number. */
const instantsOf = ({ traceEvents }: ChromeTrace, phase: 'b' | 'e'): Map<string, number> =>
  new Map(traceEvents.filter(({ ph }) => ph === phase).map(({ id, ts }) => [id!, ts!]))

describe('emulate', () => {
  test('a source that cannot wait drops what its terms say, and everything else has a result', async () => {
    const [run] = await emulate(
      'dropping',
      `
devices: { porch: { speed: 0.3 }, shed: { speed: 0.3 } }
links: { topology: full, default: { bandwidth: 80Mbps, latency: 2ms } }
models: { toy: { blocks: [ { work: 60ms, weights: 100KB } ], activations: [10KB, 40B] } }
sources:
  - { name: cam, device: porch, model: toy, arrivals: { every: 25ms }, count: 120, window: 2, drop: oldest, queue: 2, deadline: 5s }
`
    )
    const { admitted, completed, dropped, lost, late } = run!.sources[0]!
    expect({ because: run!.because, admitted, lost, sum: completed + dropped + lost }).toEqual({
      ...{ because: undefined, admitted: 120, lost: 0, sum: 120 }
    })
    expect(dropped).toBeGreaterThan(20)
    expect(completed).toBeGreaterThan(10)
    expect(late).toBe(0)
  })

  test('several models and sources, every kind of arrivals, all that a scenario may change: nothing lost, all results right, all in the trace', async () => {
    const file = join(folder, 'trace.json')
    const runs = await emulate(
      'changing',
      `
devices: { porch: { speed: 0.25 }, shed: { speed: 0.4 }, attic: { speed: 0.3 } }
links: { topology: full, default: { bandwidth: 80Mbps, latency: 2ms } }
${MODELS}
sources:
  - { name: cam, device: porch, model: toy, count: 250 }
  - { name: mic, device: porch, model: other, arrivals: { poisson: 10/s }, count: 60 }
  - { name: door, device: shed, model: other, arrivals: { every: 100ms }, count: 50, start: 1s, weight: 2 }
events:
  - { at: 2s, device: shed, speed: 0.1 }
  - { at: 2.5s, link: porch->attic, bandwidth: 20Mbps, latency: 5ms }
  - { at: 3s, device: attic, leaves: kill }
  - { at: 5s, device: attic, joins: true }
`,
      ...['--policy', 'confluence,ms-mdi', '--trace', file]
    )
    expect(runs.map(({ policy }) => policy)).toEqual(['confluence', 'ms-mdi'])
    for (const run of runs) {
      expect(run.because).toBeUndefined() // also where results of the two differ
      expect(run.emulated).toBe(true)
      expect(run.sources).toMatchObject([
        { name: 'cam', completed: 250, lost: 0 },
        { name: 'mic', completed: 60, lost: 0 },
        { name: 'door', completed: 50, lost: 0 }
      ])
      expect(run.makespan).toBeGreaterThan(5.9) // 1 s, and 49 times 100 ms
      expect(run.devices.reduce((sum, { tasks }) => sum + tasks, 0)).toBeGreaterThan(600)
    }
    const trace = JSON.parse(await readFile(file, 'utf8')) as ChromeTrace
    const threads = threadsOf(trace)
    const began = instantsOf(trace, 'b')
    const ended = instantsOf(trace, 'e')
    for (const { policy, devices, links, sources } of runs) {
      for (const { name, tasks } of devices) {
        const spans = threads.get(`${policy}: ${name}`) ?? []
        // Of the last quarter of a second before it was killed, attic told only that it computed.
        expect(spans.length).toBeGreaterThanOrEqual(name === 'attic' ? tasks - 50 : tasks)
        for (const [i, { ts, dur, args }] of spans.entries()) {
          expect(ts! + dur!).toBeLessThanOrEqual((spans[i + 1]?.ts ?? Number.POSITIVE_INFINITY) + 0.001)
          // On the clocks of two processes.
          expect(ts).toBeGreaterThan(began.get(`${policy}/${args['source']}/${args['datum']}`)!)
        }
      }
      for (const { from, to, bytes } of links)
        if (bytes > 1e5) expect(threads.get(`${policy}: ${from} → ${to}`)?.length).toBeGreaterThan(0)
      for (const { name, completed, inferenceTime } of sources) {
        const times = Array.from(
          { length: completed },
          (_, datum) => (ended.get(`${policy}/${name}/${datum}`)! - began.get(`${policy}/${name}/${datum}`)!) / 1e6
        )
        expect(times.reduce((sum, time) => sum + time, 0) / completed).toBeCloseTo(inferenceTime.mean, 6)
      }
    }
  }, 120_000)

  test('where no link is, no data go: a chain carries them over its middle; about as fast as simulated', async context => {
    const { runs, simulated } = await emulatedReport(
      'chain',
      `
devices: { left: { speed: 0.2, memory: 150KB }, middle: { speed: 0.2, memory: 200KB }, right: { speed: 0.4 } }
links: { topology: chain, default: { bandwidth: 100Mbps, latency: 1ms } }
${MODELS}
sources: [ { name: cam, device: left, model: toy, count: 60 } ]
`,
      '--against-simulation'
    )
    const [run] = runs
    expect(run!.sources).toMatchObject([{ completed: 60, lost: 0 }])
    const sent = byLink(run!)
    expect(Object.keys(sent).sort()).toEqual(['left->middle', 'middle->left', 'middle->right', 'right->middle'])
    // Only the right one has room for the second block, of which every datum needs the input there and the result back.
    expect(sent['middle->right']).toBeGreaterThan(60 * 30_001)
    expect(sent['middle->right']).toBeLessThan(60 * 61_000)
    expect(sent['right->middle']).toBeGreaterThan(60 * 40)
    // Not how near, which is for a quiet machine to show: `npm run bench -- emulation`.
    const ratio = simulated![0]!.throughput / run!.throughput
    expect(ratio).toBeGreaterThan(0.4)
    const { disturbance = 0, processorLateness = 0 } = run!
    if (disturbance > 0.25 || processorLateness > 0.01)
      context.skip('this machine was busy: blocks and devices were late')
    expect(ratio).toBeLessThan(5)
  }, 90_000)

  test('a model that fits nowhere: exit 1, and why', async () => {
    const { ended, scratch } = await start(
      'small',
      `
devices: { porch: { speed: 0.3, memory: 200KB }, shed: { speed: 0.3, memory: 200KB } }
${MODELS}
sources: [ { name: cam, device: porch, model: toy, count: 5 } ]
`
    )
    const { code, stderr } = await ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/confluence: cam: 5 of 5 never came home \(.+\)/)
    expect(stderr).toMatch(/no placement: block 1 of toy .*starting 2 devices/s) // before they start
    expect(await readdir(scratch)).toEqual([])
  }, 90_000)

  test('Ctrl-C ends every device and removes what was written', async () => {
    const { child, ended, scratch, said } = await start(
      'long',
      `
devices: { porch: { speed: 0.3 }, shed: { speed: 0.3 } }
${MODELS}
sources: [ { name: cam, device: porch, model: toy, count: 100000 } ]
`
    )
    while (!said().includes('/100000')) await new Promise(resolve => setTimeout(resolve, 100))
    expect(devicesOf(scratch)).toHaveLength(2)
    child.kill('SIGINT')
    const { code } = await ended
    expect(code).toBe(130)
    expect(devicesOf(scratch)).toEqual([])
    expect(await readdir(scratch)).toEqual([])
  }, 90_000)
})

/** Processes whose command line names the folder. */
const devicesOf = (scratch: string): string[] =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter(line => line.includes(scratch) && line.includes(' node --name '))
