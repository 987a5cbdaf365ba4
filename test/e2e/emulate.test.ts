import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emulateIn, MODELS } from '../emulate-process.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-emulate-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const { start, emulate } = emulateIn(() => folder)

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
    // What waits when the last one comes has nothing after it that could take its place.
    expect(completed).toBeGreaterThan(1)
    expect(late).toBe(0)
  })

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
