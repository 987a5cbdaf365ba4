import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TraceFile } from '../cli/node/trace-file.ts'
import { bytes, seconds } from '../core/units.ts'
import { datumStepSchema } from '../runtime/ports/datum-step.ts'
import type { DeviceObserver } from '../runtime/ports/device-observer.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { memoryObserver, type Observed } from './simulated/memory-observer.ts'

interface Watching {
  readonly observer: DeviceObserver
  /** Ends it. @returns all that it was told, in order */
  readonly end: () => Promise<readonly Observed[]>
}

const inFile = async (): Promise<Watching> => {
  const file = join(await mkdtemp(join(tmpdir(), 'tributary-observer-')), 'trace.jsonl')
  const trace = await TraceFile.open(file, { clock: systemClock, offset: seconds(0), say: () => {} })
  const end = async () => {
    await trace[Symbol.asyncDispose]()
    const lines = (await readFile(file, 'utf8')).split('\n').filter(line => line !== '')
    return lines.map(line => datumStepSchema.parse(JSON.parse(line)) as Observed)
  }
  return { observer: trace.observer, end }
}

const inMemory = async (): Promise<Watching> => {
  const observer = memoryObserver()
  return { observer, end: async () => observer.told }
}

const of = { source: 'cam@porch', datum: 3 }
const admitted = { ...of, available: seconds(0.5), at: seconds(1) }
const ran = { ...of, model: 'net', block: 0, ready: seconds(0.9), start: seconds(1), end: seconds(2) }
const sent = {
  ...of,
  to: 'shed',
  activation: 1,
  bytes: bytes(100),
  ready: seconds(2),
  start: seconds(2),
  end: seconds(3)
}
const ended = { ...of, outcome: 'result' as const, available: seconds(0.5), at: seconds(4) }

const tell = (observer: DeviceObserver, datum: number): void => {
  observer.admitted({ ...admitted, datum })
  observer.ran({ ...ran, datum })
  observer.sent({ ...sent, datum })
  observer.ended({ ...ended, datum })
  observer.ended({ ...of, outcome: 'dropped', reason: 'deadline', at: seconds(4), datum: datum + 1 })
  observer.ended({ ...of, outcome: 'failed', reason: 'computation', at: seconds(4), datum: datum + 2 })
}

describe.each([
  ['in a file', inFile],
  ['in memory', inMemory]
])('an observer that keeps what it is told %s', (_, open) => {
  test('has all of it when it has ended, in order, with its facts', async () => {
    const { observer, end } = await open()
    tell(observer, 3)
    expect(await end()).toEqual([
      { did: 'admitted', ...admitted },
      { did: 'ran', ...ran },
      { did: 'sent', ...sent },
      { did: 'ended', ...ended },
      { did: 'ended', ...of, outcome: 'dropped', reason: 'deadline', at: 4, datum: 4 },
      { did: 'ended', ...of, outcome: 'failed', reason: 'computation', at: 4, datum: 5 }
    ])
  })

  test('holds nobody up, however much it is told, and what it was told may be used for something else', async () => {
    const { observer, end } = await open()
    const event = { ...ended }
    expect(observer.ended(event)).toBeUndefined()
    event.datum = 99
    for (let datum = 0; datum < 2000; datum++) tell(observer, datum)
    const all = await end()
    expect([all.length, all[0]!.datum, all.at(-1)!.datum]).toEqual([12_001, 3, 2001])
  })

  test('does not fail whoever tells it more when it has ended', async () => {
    const { observer, end } = await open()
    await end()
    expect(() => tell(observer, 1)).not.toThrow()
  })
})
