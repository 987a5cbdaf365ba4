import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { bytes } from '../../core/units.ts'
import { LogFile } from './log-file.ts'

let folder: string
let file: string
let elsewhere: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-log-'))
  file = join(folder, 'node.log')
  elsewhere = []
})

const opened = (size = 30, keep = 2): LogFile =>
  new LogFile({ file, size: bytes(size), keep, otherwise: line => elsewhere.push(line) })
const text = (name = 'node.log'): string => readFileSync(join(folder, name), 'utf8')

test('every line is there at once, after those of earlier lives', () => {
  writeFileSync(file, 'before\n')
  const log = opened()
  log.write('one\n')
  expect(text()).toBe('before\none\n')
  log.write('two\n')
  expect(text()).toBe('before\none\ntwo\n')
  log.close()
})

test('no file is larger than the limit, the newest are kept, and no line is parted', () => {
  const log = opened(30, 2)
  const lines = Array.from({ length: 20 }, (_, i) => `line number ${i}\n`)
  for (const line of lines) log.write(line)
  log.close()
  expect(readdirSync(folder).sort()).toEqual(['node.log', 'node.log.1', 'node.log.2'])
  expect(text('node.log.2') + text('node.log.1') + text()).toBe(lines.slice(-6).join(''))
})

test('with none to keep the file begins anew, and a line longer than the limit has one of its own', () => {
  const log = opened(10, 0)
  log.write('short\n')
  log.write('longer than ten\n')
  log.close()
  expect(readdirSync(folder)).toEqual(['node.log'])
  expect(text()).toBe('longer than ten\n')
})

test('a file that was renamed or removed by others is theirs', () => {
  const log = opened()
  log.write('one\n')
  renameSync(file, join(folder, 'node.log.old'))
  log.write('two\n')
  rmSync(file)
  log.write('three\n')
  log.close()
  expect([text('node.log.old'), text()]).toEqual(['one\n', 'three\n'])
})

test('what the disk does not take is said elsewhere, with the cause once, and the file again when it is mended', () => {
  const log = opened()
  rmSync(file)
  mkdirSync(file)
  log.write('one\n')
  log.write('two\n')
  rmSync(file, { recursive: true })
  log.write('three\n')
  log.close()
  expect(elsewhere).toEqual([expect.stringMatching(/^tributary: --log-file .*is a folder.*\n$/), 'one\n', 'two\n'])
  expect(text()).toBe('three\n')
})

test('a file that cannot be written is refused at the start, with the flag', () => {
  file = join(folder, 'none', 'node.log')
  expect(() => opened()).toThrow(/^--log-file .*node\.log: there is no such file or folder/)
})
