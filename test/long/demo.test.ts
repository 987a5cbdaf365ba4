import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { devicesLeft, endInMidRun, runDemo } from '../demo-process.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-demo-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('the whole demo', () => {
  it('takes under three minutes, gets everything right, and gains at least 1.6 times', {
    timeout: 180_000
  }, async () => {
    const { code, stdout } = await runDemo(['--json'], folder)
    expect(code).toBe(0)
    const { runs, speedup } = JSON.parse(stdout)
    expect(runs.map((run: { policy: string }) => run.policy)).toEqual(['local', 'ddi', 'ms-mdi', 'confluence'])
    for (const { sources } of runs) {
      for (const { images, correct, lost, duplicates } of sources) {
        expect(images).toBeGreaterThanOrEqual(40)
        expect({ correct, lost, duplicates }).toEqual({ correct: images, lost: 0, duplicates: 0 })
      }
    }
    expect(speedup['confluence/local']).toBeCloseTo(runs[3].throughput / runs[0].throughput, 6)
    expect(speedup['confluence/local']).toBeGreaterThanOrEqual(1.6)
  })

  it('loses nothing when a worker is killed without warning', async () => {
    const flags = ['--json', '--count', '30', '--policy', 'confluence', '--kill', 'attic@1']
    const { code, stdout, stderr } = await runDemo(flags, folder)
    expect(stderr).toContain('killed attic (kill -9)')
    expect(code).toBe(0)
    for (const source of JSON.parse(stdout).runs[0].sources) {
      expect(source).toMatchObject({ images: 30, correct: 30, lost: 0, duplicates: 0 })
    }
  })

  it.skipIf(spawnSync('ffmpeg', ['-version']).error !== undefined)(
    'live (needs ffmpeg): of cameras that are not waited for each frame has one outcome, and what is read is right, though a device dies',
    async () => {
      const { code, stdout, stderr } = await runDemo(['--live', '--seconds', '8', '--json'], folder)
      expect(stderr).toContain('killed shed')
      const { cameras, ...document } = JSON.parse(stdout)
      expect(document).toMatchObject({ policy: 'confluence', seconds: 8, killed: { device: 'shed', after: 3 } })
      expect(cameras.map(({ name }: { name: string }) => name)).toEqual(['porch', 'door'])
      for (const { frames, results, right, dropped, failed, missing, twice } of cameras) {
        expect({ frames, failed, missing, twice }).toEqual({ frames: 96, failed: 0, missing: 0, twice: 0 })
        expect([right, results + dropped]).toEqual([results, frames])
        expect(Math.min(results, dropped)).toBeGreaterThan(0)
      }
      expect(code).toBe(0)
      expect(await readdir(folder)).toEqual([])
    }
  )

  it('stops every device on Ctrl-C and leaves nothing behind', async () => {
    const { code } = await runDemo(['--count', '40', '--policy', 'local'], folder, endInMidRun('SIGINT'))
    expect(code).toBe(130)
    expect(await devicesLeft(folder)).toEqual([])
    expect(await readdir(folder)).toEqual([])
  })

  it('takes its devices along when it is killed without warning', async () => {
    const { code } = await runDemo(['--count', '40', '--policy', 'local'], folder, endInMidRun('SIGKILL'))
    expect(code).toBe(null)
    await expect.poll(() => devicesLeft(folder), { timeout: 20_000 }).toEqual([])
  })
})
