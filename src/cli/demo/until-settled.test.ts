import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { untilSettled } from './until-settled.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-settled-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a sink that grows is waited for until each item has a whole line, in whatever order', async () => {
  const file = join(folder, 'sink.jsonl')
  const parts = ['{"item":"b"}\n{"item":"x"}\n{"item"', ':"a","error":"no image"}\n']
  const clock = {
    ...systemClock,
    now: () => seconds(0),
    sleep: async () => {
      const part = parts.shift()
      if (part === undefined) throw new Error('it waits though all is there')
      await appendFile(file, part)
    }
  }
  await untilSettled(file, ['a', 'b'], { clock, signal: new AbortController().signal })
  expect(parts).toEqual([])
})
