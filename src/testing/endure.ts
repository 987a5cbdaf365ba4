import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunReport } from '../report/run-report.ts'
import { enduranceScenario } from './endurance-scenario.ts'
import { MAIN } from './node-process.ts'

/** Emulate a bad day of so many seconds. @returns what `emulate --json` printed, and how many data there were */
export const endure = async (seed: string, duration: number) => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-endurance-'))
  const scenario = enduranceScenario(seed, duration)
  const file = join(folder, 'scenario.yaml')
  await writeFile(file, JSON.stringify(scenario))
  try {
    const ran = await new Promise<{ code: number; stdout: string; stderr: string }>(resolve =>
      execFile(process.execPath, [MAIN, 'emulate', file, '--json'], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
      )
    )
    return { ...ran, scenario, report: ran.stdout === '' ? undefined : (JSON.parse(ran.stdout) as RunReport) }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
