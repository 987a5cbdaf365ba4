import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Called with all that it has said so far, whenever it says more. */
export type OnTalk = (stderr: string, end: (signal: NodeJS.Signals) => void) => void

/** Run `tributary demo`; its temporary files go into `folder`, so that a test can see what is left of them. */
export const runDemo = (flags: readonly string[], folder: string, onTalk: OnTalk = () => {}): Promise<Ended> =>
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

/** Sends the signal once, while images are being recognised under `local`. */
export const endInMidRun = (signal: NodeJS.Signals): OnTalk => {
  let sent = false
  return (stderr, end) => {
    if (sent || !/local [1-9]\d* s/.test(stderr)) return // a busy machine may leave out the second second
    sent = true
    end(signal)
  }
}

/** Device processes of this machine whose command line names the folder. */
export const devicesLeft = async (folder: string): Promise<string[]> => {
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(ids.map(id => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter(line => line.includes(folder) && line.includes('main.js'))
}
