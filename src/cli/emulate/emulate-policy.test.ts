import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseScenario } from '../../core/scenario.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { emulatePolicy } from './emulate-policy.ts'
import { EmulatedCluster } from './emulated-cluster.ts'
import type { Footing } from './footing.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-emulate-policy-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const scenario = (events: readonly object[] = []) =>
  parseScenario(
    {
      devices: { porch: {}, shed: {}, attic: {} },
      links: { topology: 'chain' },
      models: { net: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
      sources: [{ name: 'cam', device: 'porch', model: 'net', count: 5 }],
      events
    },
    'test'
  )

/**
 * Stands for a device. Told to start, porch speaks as two processes of it would, one after the other: five data were
 * admitted, then two; says that all is done; and is told to stop.
 */
const DEVICE = `
  const name = process.argv[process.argv.indexOf('--name') + 1]
  const say = event => process.stdout.write(JSON.stringify(event) + '\\n')
  const link = (to, encoding) => ({ to, rate: 1, latency: 0, bytesSent: 0, emulated: true, encoding })
  const status = (admitted, weightsFetched) => ({
    answeredBy: name,
    planner: null,
    devices: [{
      ...{ name, id: name, speed: 1, emulated: true, memory: null, policy: 'confluence', uptime: 1, models: {} },
      ...{ queue: { lane: 0, links: 0, waiting: 0 }, tasks: 0, busySeconds: 0, busy: 0, rate: 0, bytesSent: 0 },
      ...{ weightsFetched, rss: 1, links: [link('shed', 'int8'), link('attic', 'fp16')], waiting: [] },
      counters: { refusedPeers: 0, malformedFrames: 0, oversizedFrames: 0, refusedTasks: 0, unproven: 0 }
    }],
    sources: name !== 'porch' ? [] : [{
      ...{ name: 'cam', device: name, model: 'net', state: 'running', available: 5, admitted, completed: 0 },
      ...{ inFlight: admitted, lost: 0, duplicates: 0, resent: 0, rate: 0 },
      inferenceTime: { mean: null, p50: null, p95: null, p99: null }
    }],
    placement: { epoch: 1, ready: true, models: {}, unplaced: [] },
    losses: { lost: 0, duplicates: 0, resent: 0, failed: 0, dropped: 0, devicesLost: 0 }
  })
  process.on('SIGTERM', () => {
    process.stderr.write('told to stop')
    process.exit()
  })
  require('readline').createInterface({ input: process.stdin }).on('line', line => {
    if (JSON.parse(line).start === undefined) return
    say({ event: 'status', status: status(5, 300) })
    say({ event: 'status', status: status(2, 400) })
    if (name === 'porch' && !process.argv.includes('--endless')) say({ event: 'done' })
  })
  say({ event: 'listening', addresses: [] })
  say({ event: 'status', status: status(0, 100) })
  say({ event: 'ready' })
`

const run = async (name: string, events: readonly object[], broken: Partial<Footing>) =>
  emulatePolicy({
    ...{ scenario: scenario(events), models: [], policy: 'confluence', seed: 1, folder: join(folder, name) },
    ...{ isTraced: false, adapts: true, activationEncoding: 'auto', clock: systemClock },
    signal: new AbortController().signal,
    footing: {
      launcher: () => [process.execPath, '-e', DEVICE, '--'],
      flags: () => [],
      slow: async () => {},
      relink: async () => {},
      [Symbol.asyncDispose]: async () => {},
      ...broken
    },
    progress: () => {}
  })

test('what is said of a run: all that any process admitted, weights that moved without events too, links of the scenario', async () => {
  const { run: said, encodings, missing } = await run('said', [], {})
  expect(said.sources).toMatchObject([{ name: 'cam', admitted: 5, completed: 0, lost: 5 }])
  expect(missing).toEqual([0])
  expect(said.weightsMoved).toBe(3 * 300) // from 100 before the run to 400, at each device
  expect(encodings.filter(({ from }) => from === 'porch')).toEqual([{ from: 'porch', to: 'shed', encoding: 'int8' }])
}, 20_000)

test('what its terms let go is dropped; what went with its device is lost', async () => {
  const line = (datum: number, of: object): string =>
    `${JSON.stringify({ source: 'cam@porch', datum, item: 'x', ...of })}\n`
  await mkdir(join(folder, 'terms'), { recursive: true })
  await writeFile(
    EmulatedCluster.sinkOf(join(folder, 'terms'), 'porch'),
    [
      line(0, { result: {}, inferenceTime: 0.1, attempts: 1 }),
      line(1, { dropped: true, reason: 'queueFull' }),
      line(2, { dropped: true, reason: 'deadline' }),
      line(3, { dropped: true, reason: 'stopped' })
    ].join('')
  )
  const { run: said, missing } = await run('terms', [], {})
  expect(said.sources).toMatchObject([{ admitted: 5, completed: 1, dropped: 2, lost: 2 }])
  expect(missing).toEqual([0])
  expect(said.because).toContain('2 of 5 never came home')
}, 20_000)

test('an event that fails ends the run with its error, and every device', async () => {
  const slow = (): Promise<void> => Promise.reject(new Error('no such control group'))
  const endless = { slow, flags: () => ['--endless'] }
  await expect(run('broken', [{ at: '50ms', device: 'shed', speed: 0.5 }], endless)).rejects.toThrow(
    'no such control group'
  )
  for (const name of ['porch', 'shed', 'attic'])
    expect(await readFile(join(folder, 'broken', `${name}.log`), 'utf8')).toBe('told to stop')
}, 20_000)
