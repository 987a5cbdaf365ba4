import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { PolicyRun, RunReport } from '../src/report/run-report.ts'
import { MAIN } from '../src/testing/node-process.ts'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `tributary emulate` of a scenario, as a process with a folder of its own for what it writes, below `folder()`. */
export const emulateIn = (folder: () => string) => {
  const start = async (name: string, scenario: string, ...flags: string[]) => {
    const file = join(folder(), `${name}.yaml`)
    await writeFile(file, scenario)
    const scratch = await mkdtemp(join(folder(), `${name}-`))
    const child: ChildProcess = spawn(process.execPath, [MAIN, 'emulate', file, ...flags], {
      env: { ...process.env, TMPDIR: scratch },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let stdout = ''
    let stderr = ''
    child.stdout!.on('data', chunk => {
      stdout += chunk
    })
    child.stderr!.on('data', chunk => {
      stderr += chunk
    })
    const ended = new Promise<Ended>(resolve => child.once('close', code => resolve({ code, stdout, stderr })))
    return { child, scratch, ended, said: () => stderr }
  }

  const emulatedReport = async (name: string, scenario: string, ...flags: string[]): Promise<RunReport> => {
    const { ended, scratch } = await start(name, scenario, '--json', ...flags)
    const { code, stdout, stderr } = await ended
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(await readdir(scratch)).toEqual([])
    return JSON.parse(stdout) as RunReport
  }

  const emulate = async (...words: [string, string, ...string[]]): Promise<readonly PolicyRun[]> =>
    (await emulatedReport(...words)).runs

  return { start, emulate, emulatedReport }
}

/** Two models of two blocks each. */
export const MODELS = `
models:
  toy: { blocks: [ { work: 4ms, weights: 100KB }, { work: 6ms, weights: 1MB } ], activations: [60KB, 30001B, 40B] }
  other: { blocks: [ { work: 2ms, weights: 100KB }, { work: 3ms, weights: 1MB } ], activations: [20KB, 10KB, 40B] }
`
