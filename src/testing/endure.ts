import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { EnduranceReport } from './endurance-report.ts'

const MAIN = fileURLToPath(new URL('../../dist/src/testing/run-endurance.js', import.meta.url))

/** A bad day of so many seconds: every datum has exactly one result, and it is right. */
export const endure = async (seed: string, duration: number, each: number): Promise<EnduranceReport> => {
  const ran = await new Promise<{ code: unknown; stdout: string; stderr: string }>(resolve =>
    execFile(
      process.execPath,
      [MAIN, seed, String(duration), String(each)],
      { maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : error.code, stdout, stderr })
    )
  )
  expect({ code: ran.code, stderr: ran.code === 0 ? '' : ran.stderr }).toEqual({ code: 0, stderr: '' })
  const report = JSON.parse(ran.stdout) as EnduranceReport
  const { asked, completed, twice, wrong, because } = report
  expect({ completed, twice, wrong, because }).toEqual({ completed: asked, twice: 0, wrong: 0, because: '' })
  expect(report.checked).toBeGreaterThan(0)
  return report
}
