import { spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createRng } from '../../core/rng.ts'

const BUILT = fileURLToPath(new URL('../../../dist/src/runtime/', import.meta.url))

/** Data that a life may write beyond those it is killed after, so that the signal finds it at work but it never ends first. */
const AHEAD = 4

/** A source without a network: numbers its items, writes a result for each that has none, and says so for each. Waits for its end once it wrote `most`. */
const PROGRAM = `
  const [file, stateFolder, count, most] = process.argv.slice(1)
  const { openSink } = await import('${BUILT}sink/open-sink.js')
  const { sourceItems } = await import('${BUILT}sink/source-items.js')
  const { systemClock } = await import('${BUILT}system-clock.js')
  const sink = await openSink({ file, stateFolder, clock: systemClock, say: () => {}, linger: 0.001 })
  const items = Array.from({ length: Number(count) }, (_, i) => ({ name: i + '.png', path: '/' + i }))
  const recorded = sink.recorded('door')
  const { todo } = await sourceItems({ source: 'door', folder: '/', items, recorded, stateFolder })
  let written = 0
  for (const { datum, item } of todo) {
    if (written++ === Number(most)) await new Promise(() => setInterval(() => {}, 1000))
    const entry = { source: 'door', datum, item: item.name, result: 'x'.repeat(datum), inferenceTime: 1, attempts: 1 }
    await sink.write(entry)
    process.stdout.write(datum + '\\n')
  }
  await sink.stop()
`

interface Life {
  readonly code: number | null
  /** Data that the source was told are on the disk. */
  readonly acknowledged: readonly number[]
}

/** One life of the source, ended with SIGKILL after `killAfter` acknowledgements. */
const live = (file: string, state: string, items: number, killAfter: number): Promise<Life> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', PROGRAM, file, state, String(items), String(killAfter + AHEAD)],
      { stdio: ['ignore', 'pipe', 'inherit'] }
    )
    let text = ''
    child.stdout.on('data', piece => {
      text += piece
      if (text.split('\n').length > killAfter) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', code => {
      const whole = text.slice(0, text.lastIndexOf('\n') + 1)
      resolve({ code, acknowledged: whole.split('\n').filter(Boolean).map(Number) })
    })
  })

const rotations: readonly [string, (file: string, to: string) => void][] = [
  ['stays', () => {}],
  ['is renamed between its lives', renameSync],
  [
    'is copied and truncated between its lives',
    (file, to) => {
      copyFileSync(file, to)
      truncateSync(file)
    }
  ]
]

test.each(rotations)(
  'a source that is killed again and again writes every item once, and never loses what was acknowledged; its sink %s',
  async (_, rotate) => {
    expect(existsSync(BUILT), 'this test runs compiled code: run "npm run build" first').toBe(true)
    const folder = mkdtempSync(join(tmpdir(), 'tributary-kill-'))
    const state = join(folder, 'state')
    mkdirSync(state)
    const file = join(folder, 'sink.jsonl')
    const rng = createRng('kill')
    const acknowledged: number[] = []
    let items = 120 // more than six lives can write
    for (let life = 0; life < 6; life++) {
      const { code, acknowledged: own } = await live(file, state, items, 1 + Math.floor(rng.next() * 12))
      expect(code).toBeNull()
      acknowledged.push(...own)
      rotate(file, `${file}.${life}`)
      items++ // a file joins the folder between two lives
    }
    const last = await live(file, state, items, Number.POSITIVE_INFINITY)
    expect(last.code).toBe(0)
    acknowledged.push(...last.acknowledged)
    const lines = readdirSync(folder)
      .filter(name => name.startsWith('sink'))
      .flatMap(name => readFileSync(join(folder, name), 'utf8').split('\n'))
      .filter(line => line.endsWith('}')) // what was torn when it was rotated stays torn
      .map(line => JSON.parse(line) as { datum: number; item: string })
    const all = Array.from({ length: items }, (_, i) => i)
    expect(lines.map(({ datum }) => datum).sort((a, b) => a - b)).toEqual(all)
    expect(new Set(lines.map(({ item }) => item)).size).toBe(items)
    expect(new Set(acknowledged).size).toBe(acknowledged.length)
  }
)
