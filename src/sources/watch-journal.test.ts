import { appendFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WatchJournal } from './watch-journal.ts'

const options = () => ({
  source: 'in@porch',
  folder: mkdtempSync(join(tmpdir(), 'tributary-journal-')),
  has: () => false
})

test('a full disk stops nothing, is told once, and what it refused is written when it has room', () => {
  const said: string[] = []
  let isFull = false
  const append = (file: string, text: string): void => {
    appendFileSync(file, isFull ? text.slice(0, text.length / 2) : text)
    if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  }
  const parts = { ...options(), append, say: (text: string) => said.push(text) }
  const journal = new WatchJournal(parts)
  for (const [i, name] of ['a', 'b', 'c'].entries()) {
    isFull = name === 'b'
    journal.began(name, '1', i)
    journal.settled(name, '1')
  }
  expect(said).toEqual([expect.stringMatching(/in%40porch\.watch\.jsonl: .*; tried again/)])
  const again = new WatchJournal(parts)
  expect(['a', 'b', 'c', 'd'].map(name => again.knows(name, '1'))).toEqual([true, true, true, false])
})

test('a last line that is torn is passed over', () => {
  const parts = options()
  const journal = new WatchJournal(parts)
  journal.began('b', '1', 0)
  journal.settled('b', '1')
  appendFileSync(join(parts.folder, 'in%40porch.watch.jsonl'), '["b","2",')
  expect(new WatchJournal(parts).knows('b', '1')).toBe(true)
})
