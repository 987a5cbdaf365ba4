import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-demo-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Its temporary files go where the test can see what is left of them. */
const demo = (
  flags: readonly string[],
  onTalk: (stderr: string, end: (signal: NodeJS.Signals) => void) => void = () => {}
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, 'demo', ...flags], { env: { ...process.env, TMPDIR: folder } })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', data => {
      stdout += data
    })
    child.stderr.on('data', data => {
      stderr += data
      onTalk(stderr, signal => child.kill(signal))
    })
    child.once('error', reject)
    child.once('close', code => resolve({ code, stdout, stderr }))
  })

/** Processes of this machine whose command line names our folder. */
const devicesLeft = async (): Promise<string[]> => {
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(ids.map(id => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter(line => line.includes(folder) && line.includes('main.js'))
}

describe('tributary demo', () => {
  it('reads every image as plain ONNX Runtime does, under one policy after the other', async () => {
    const { code, stdout, stderr } = await demo(['--json', '--count', '6', '--policy', 'local,confluence'])
    expect(stderr).toContain('emulated')
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
    expect(document.runs.map((run: { policy: string }) => run.policy)).toEqual(['local', 'confluence'])
    expect(document.speedup['confluence/local']).toBeCloseTo(
      document.runs[1].throughput / document.runs[0].throughput,
      6
    )
    const porch = document.runs[1].devices.find((device: { name: string }) => device.name === 'porch')
    const shed = document.runs[1].devices.find((device: { name: string }) => device.name === 'shed')
    expect(porch.blocks.length).toBeLessThan(shed.blocks.length)
    expect(await readdir(folder)).toEqual([])
  })

  it('loses nothing when a worker is killed without warning', async () => {
    const flags = ['--json', '--count', '30', '--policy', 'confluence', '--kill', 'attic@1']
    const { code, stdout, stderr } = await demo(flags)
    expect(stderr).toContain('killed attic (kill -9)')
    expect(code).toBe(0)
    for (const source of JSON.parse(stdout).runs[0].sources) {
      expect(source).toMatchObject({ images: 30, correct: 30, lost: 0, duplicates: 0 })
    }
  })

  /** Ends a run in its middle. */
  const endInMidRun = (signal: NodeJS.Signals): Promise<Ended> => {
    let sent = false
    return demo(['--count', '40', '--policy', 'local'], (stderr, end) => {
      if (sent || !stderr.includes('local 2 s')) return
      sent = true
      end(signal)
    })
  }

  it('stops every device on Ctrl-C and leaves nothing behind', async () => {
    const { code } = await endInMidRun('SIGINT')
    expect(code).toBe(130)
    expect(await devicesLeft()).toEqual([])
    expect(await readdir(folder)).toEqual([])
  })

  it('takes its devices along when it is killed without warning', async () => {
    const { code } = await endInMidRun('SIGKILL')
    expect(code).toBe(null)
    await expect.poll(devicesLeft, { timeout: 20_000 }).toEqual([])
  })

  it('skips what is not an image, says so, and reads the rest', async () => {
    const images = join(folder, 'images')
    expect((await demo(['--render-only', images, '--count', '2', '--seed', 'x'])).code).toBe(0)
    await writeFile(join(images, 'porch', 'notes.png'), 'not an image')
    const { code, stdout, stderr } = await demo(['--json', '--images', images, '--policy', 'confluence'])
    expect(stderr).toMatch(/skipped: .*notes\.png/)
    expect(code).toBe(0)
    expect(JSON.parse(stdout).runs[0].sources.map((source: { images: number }) => source.images)).toEqual([2, 2])
  })

  it.each([
    [['--policy', 'conflunce'], /--policy "conflunce" .*did you mean confluence\?/],
    [['--kill', 'porch@2'], /porch is a source.*shed or attic/],
    [['--images', '/nowhere/at-all'], /--images "\/nowhere\/at-all".*no such file/],
    [['--count', '0'], /whole number from 1 to 500/]
  ])('%s is wrong use: exit 2, one line with the remedy', async (flags, message) => {
    const { code, stdout, stderr } = await demo([...flags, '--json'])
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
    expect(stdout).toBe('')
  })
})
