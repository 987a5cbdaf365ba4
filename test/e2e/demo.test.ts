import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ended, runDemo } from '../demo-process.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-demo-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const demo = (flags: readonly string[]): Promise<Ended> => runDemo(flags, folder)

describe('tributary demo', () => {
  it('reads every image as plain ONNX Runtime does, on several devices, and passes over what is no image', async () => {
    const images = join(folder, 'images')
    expect((await demo(['--render-only', images, '--count', '6', '--seed', 'x'])).code).toBe(0)
    await writeFile(join(images, 'porch', 'notes.png'), 'not an image')
    const { code, stdout, stderr } = await demo(['--json', '--images', images, '--policy', 'confluence'])
    expect(stderr).toContain('emulated')
    expect(stderr).toMatch(/no image: .*notes\.png/)
    expect(code).toBe(0)
    const document = JSON.parse(stdout)
    expect(Object.keys(document)).toEqual(['devices', 'runs', 'speedup'])
    expect(document.devices.map(({ name, emulated }: { name: string; emulated: boolean }) => [name, emulated])).toEqual(
      ['porch', 'door', 'shed', 'attic'].map(name => [name, true])
    )
    for (const run of document.runs) {
      for (const source of run.sources) {
        expect(source).toMatchObject({ images: 6, correct: 6, wrong: 0, lost: 0, duplicates: 0 })
        expect(source.inferenceTime.p95).toBeGreaterThanOrEqual(source.inferenceTime.p50)
      }
      expect(run.throughput).toBeCloseTo(12 / run.makespan, 6)
    }
    expect(document.runs.map((run: { policy: string }) => run.policy)).toEqual(['confluence'])
    const porch = document.runs[0].devices.find((device: { name: string }) => device.name === 'porch')
    const carried = new Set<number>(document.runs[0].devices.flatMap(({ blocks }: { blocks: number[] }) => blocks))
    expect(porch.blocks.length, 'it has no memory for all').toBeLessThan(carried.size)
    expect(await readdir(folder)).toEqual(['images'])
  })

  it.each([
    [['--policy', 'conflunce'], /--policy "conflunce" .*did you mean confluence\?/],
    [['--kill', 'porch@2'], /porch is a source.*shed or attic/],
    [['--images', '/nowhere/at-all'], /--images "\/nowhere\/at-all".*no such file/],
    [['--count', '0'], /whole number from 1 to 500/],
    [['--live', '--count', '3'], /--count is for the demo with images/],
    [['--live', '--kill', 'door@2'], /door is a source.*shed/]
  ])('%s is wrong use: exit 2, one line with the remedy', async (flags, message) => {
    const { code, stdout, stderr } = await demo([...flags, '--json'])
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
    expect(stdout).toBe('')
  })
})
