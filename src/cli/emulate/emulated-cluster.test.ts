import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseScenario } from '../../core/scenario.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import type { NodeEvent } from '../demo/device-process.ts'
import { EmulatedCluster } from './emulated-cluster.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-emulated-cluster-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const scenario = parseScenario(
  {
    devices: { porch: {}, shed: {} },
    models: { net: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
    sources: [{ name: 'cam', device: 'porch', model: 'net', count: 5 }]
  },
  'test'
)
const ALL = new Set([0, 1])

/** Stands for a device: listens, says what it is told, and does not end when it is asked to. */
const DEVICE = `
  const say = event => process.stdout.write(JSON.stringify(event) + '\\n')
  process.on('SIGTERM', () => say({ event: 'stopping' }))
  require('readline').createInterface({ input: process.stdin }).on('line', line => say({ event: 'told', order: JSON.parse(line) }))
  say({ event: 'listening', addresses: ['/address/of/' + process.pid] })
`

/** A cluster of such devices, of which none is there; what they say can be waited for, each once. */
const open = (name: string) => {
  const own = join(folder, name)
  const heard: [number, NodeEvent][] = []
  const waiting = new Set<() => void>()
  const cluster = new EmulatedCluster({
    ...{ scenario, models: [], policy: 'confluence', seed: 1, folder: own, isTraced: false, adapts: true },
    ...{ activationEncoding: 'fp32', clock: systemClock, signal: new AbortController().signal },
    footing: {
      launcher: () => [process.execPath, '-e', DEVICE, '--'],
      flags: () => [],
      slow: async () => {},
      relink: async () => {},
      [Symbol.asyncDispose]: async () => {}
    },
    onEvent: (device, event) => {
      heard.push([device, event])
      for (const look of waiting) look()
      waiting.clear()
    }
  })
  const next = async (device: number, name: string): Promise<NodeEvent> => {
    for (;;) {
      const i = heard.findIndex(([n, { event }]) => n === device && event === name)
      if (i >= 0) return heard.splice(i, 1)[0]![1]
      await new Promise<void>(resolve => waiting.add(resolve))
    }
  }
  return { cluster, next, folder: own }
}

test('devices of one cluster that come when nobody is there meet all the same: whoever listens later is told of the other', async () => {
  const { cluster, next, folder: own } = open('meeting')
  await cluster.start(ALL)
  const key = (name: string): Promise<string> => readFile(join(own, `${name}.state`, 'cluster.key'), 'utf8')
  expect(await key('porch')).toBe(await key('shed'))
  await cluster.join(1)
  const { addresses } = await next(1, 'listening')
  await cluster.join(0)
  expect((await next(0, 'told'))['order']).toEqual({ join: (addresses as string[])[0] })
  for (const n of ALL) cluster.kill(n)
  await Promise.all([cluster.join(0), cluster.join(1)])
  const told = Promise.race([next(0, 'told'), next(1, 'told')])
  expect((await told)['order']).toEqual({ join: expect.stringMatching(/^\/address\/of\/\d+$/) })
  for (const n of ALL) cluster.kill(n)
  await cluster[Symbol.asyncDispose]()
}, 20_000)

test('a device that is about to stop can be killed', async () => {
  const { cluster, next } = open('stopping')
  await cluster.start(ALL)
  await cluster.join(1)
  await next(1, 'listening')
  cluster.leave(1)
  await next(1, 'stopping')
  const asked = systemClock.now()
  cluster.kill(1)
  await cluster.join(1) // once its earlier process is gone
  await next(1, 'listening')
  expect(systemClock.now() - asked).toBeLessThan(6) // one that is not killed has eight seconds
  cluster.kill(1)
  await cluster[Symbol.asyncDispose]()
}, 20_000)
