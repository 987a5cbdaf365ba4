import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { judge } from './judge.ts'
import { median } from './median.ts'

// From the start of a device's process until others can join it, each time from an empty state folder: it makes its identity
// and measures its speed. Budget: 1.5 s.

const STARTS = 9

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'tributary-start-'))

const start = async (n: number): Promise<{ readonly wall: number; readonly processor: number | undefined }> => {
  const flags = ['node', '--name', 'start', '--listen', '127.0.0.1:0', '--no-mdns', '--json-events']
  const began = performance.now()
  const child = spawn(process.execPath, [main, ...flags, '--state', join(folder, `${n}`)], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  await new Promise<void>(resolve => child.stdout.on('data', text => String(text).includes('"listening"') && resolve()))
  const wall = (performance.now() - began) / 1000
  // Clock ticks of 10 ms, the 14th and 15th field; the second, a name in parentheses, may hold spaces.
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => undefined)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ended = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGKILL')
  await ended
  return { wall, processor: fields && (Number(fields[11]) + Number(fields[12])) / 100 }
}

try {
  const all = []
  for (let n = 0; n < STARTS; n++) all.push(await start(n))
  const walls = all.map(({ wall }) => wall).sort((a, b) => a - b)
  const processor = all.flatMap(({ processor }) => processor ?? [])
  const spread = `${walls[0]!.toFixed(2)} to ${walls.at(-1)!.toFixed(2)} s in ${STARTS} starts`
  const used = processor.length === 0 ? '' : `; ${median(processor).toFixed(2)} s of processor`
  process.stdout.write(
    judge('until a device listens', `${median(walls).toFixed(2)} s, median (${spread})${used}`, median(walls), {
      atMost: 1.5
    })
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}
