import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { judge } from './judge.ts'

// Memory of a device process that is idle and carries no block, as Linux accounts it. Budget: 150 MB resident.

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'tributary-idle-'))
const flags = ['node', '--name', 'idle', '--listen', '127.0.0.1:0', '--no-mdns', '--state', folder]
const child = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] })
try {
  await new Promise<void>(resolve => child.stderr.on('data', text => String(text).includes('listening') && resolve()))
  await wait(5000)
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => undefined)
  const kibibytes = Number(/VmRSS:\s+(\d+)/.exec(status ?? '')?.[1])
  const megabytes = (kibibytes * 1024) / 1e6
  process.stdout.write(
    status === undefined
      ? 'needs /proc\n'
      : judge('idle device', `${megabytes.toFixed(0)} MB resident`, megabytes, { atMost: 150 })
  )
} finally {
  child.kill()
  await rm(folder, { recursive: true, force: true })
}
