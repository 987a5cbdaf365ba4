import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { EnduranceReport } from './endurance-report.ts'

/** As it is compiled, beside this file where that is compiled too. */
const MAIN = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/src/testing/run-endurance.js' : 'run-endurance.js',
    import.meta.url
  )
)

/** Of any process, at any time. */
const MOST_MEGABYTES = 400
/** Of any process at its end: it begins with 28, and has a connection to each of four others. */
const MOST_FILES = 40
/** Of a log, for twenty minutes in which something happens every eight seconds. */
const MOST_LINES = 500

/**
 * A bad day of so many seconds: every datum has exactly one result, and it is right; no process becomes large or leaves files
 * open, none is left at the end, and what they say can be read.
 */
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
  expect({ odd: report.oddLines, left: report.left }).toEqual({ odd: [], left: 0 })
  expect(report.logLines).toBeLessThan(MOST_LINES)
  for (const { name, mostMegabytes, files } of report.processes) {
    expect(mostMegabytes, name).toBeLessThan(MOST_MEGABYTES)
    expect(files, name).toBeLessThan(MOST_FILES)
  }
  return report
}
