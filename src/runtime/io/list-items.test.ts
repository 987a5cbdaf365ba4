import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import { ItemUnavailable } from '../ports/item-unavailable.ts'
import { itemStamp } from './item-stamp.ts'
import { listItems } from './list-items.ts'
import { readRegularFile } from './read-regular-file.ts'

const fresh = (): string => mkdtempSync(join(tmpdir(), 'tributary-list-'))
const namesIn = async (folder: string, suffixes: readonly string[] = [], said: string[] = []): Promise<string[]> =>
  (await listItems(folder, suffixes, text => said.push(text))).map(({ name }) => name)
const read = (path: string | Buffer): Promise<Buffer> => readRegularFile(path, 100, '100 bytes')
const fifo = (path: string): string => {
  execFileSync('mkfifo', [path])
  return path
}

test('files in name order; links to files, and links that lead nowhere for now, are files too; hidden ones are not', async () => {
  const folder = fresh()
  for (const name of ['b.png', 'a.png', '.hidden']) writeFileSync(join(folder, name), 'x')
  symlinkSync(join(folder, 'a.png'), join(folder, 'c.png'))
  symlinkSync(join(folder, 'away.png'), join(folder, 'd.png'))
  const said: string[] = []
  expect(await namesIn(folder, [], said)).toEqual(['a.png', 'b.png', 'c.png', 'd.png'])
  expect(said).toEqual([])
})

test('a FIFO, a socket, a device or a folder is passed over whatever its name is, and said', async () => {
  const folder = fresh()
  writeFileSync(join(folder, 'a.png'), 'x')
  mkdirSync(join(folder, 'b.png'))
  fifo(join(folder, 'c.png'))
  symlinkSync(join(folder, 'c.png'), join(folder, 'd.png'))
  symlinkSync('/dev/zero', join(folder, 'e.png'))
  const server = createServer().listen(join(folder, 'f.png'))
  try {
    await new Promise(resolve => server.once('listening', resolve))
    const said: string[] = []
    expect(await namesIn(folder, [], said)).toEqual(['a.png'])
    expect(said).toEqual([
      'skipped what is no file: b.png (a folder), c.png (a FIFO), d.png (leads to a FIFO), e.png (leads to a device), f.png (a socket)'
    ])
  } finally {
    server.close()
  }
})

test('of much that is no file a few are named', async () => {
  const folder = fresh()
  writeFileSync(join(folder, 'z'), 'x')
  for (let i = 0; i < 9; i++) mkdirSync(join(folder, `${i}`))
  const said: string[] = []
  await namesIn(folder, [], said)
  expect(said[0]).toMatch(/^skipped what is no file: 0 \(a folder\), .*4 \(a folder\) and 4 more$/)
})

test('no folder and no file are unavailable, which is a wrong use at the start', async () => {
  for (const [folder, message] of [
    [join(fresh(), 'none'), /there is no such file or folder/],
    [fresh(), /there is no file in it/]
  ] as const) {
    await expect(listItems(folder)).rejects.toThrow(message)
    await expect(listItems(folder)).rejects.toBeInstanceOf(ItemUnavailable)
    await expect(listItems(folder)).rejects.toBeInstanceOf(UserError)
  }
})

test.skipIf(process.platform !== 'linux')(
  'names that are not UTF-8 are different items, and each is read as itself', // other systems do not have such names
  async () => {
    const folder = fresh()
    const bytes = (byte: number, ending = ''): Buffer =>
      Buffer.concat([Buffer.from(`${folder}/f`), Buffer.from([byte]), Buffer.from(ending)])
    writeFileSync(bytes(0xe9), 'e9')
    writeFileSync(bytes(0xe8), 'e8')
    writeFileSync(join(folder, 'f\\xe9'), 'text')
    const items = await listItems(folder)
    expect(items.map(({ name }) => name)).toEqual(['f\\x5cxe9', 'f\\xe8', 'f\\xe9'])
    expect(await Promise.all(items.map(async ({ path }) => String(await read(path))))).toEqual(['text', 'e8', 'e9'])
    expect(new Set(await Promise.all(items.map(async ({ path }) => (await itemStamp([path])).id))).size).toBe(3)
    writeFileSync(bytes(0xe7, '.x.npy'), 'x')
    writeFileSync(bytes(0xe7, '.y.npy'), 'y')
    expect(await namesIn(folder, ['.x.npy', '.y.npy'])).toContain('f\\xe7')
  }
)

test('what is no regular file is not waited for, also when it came after the list', { timeout: 5000 }, async () => {
  const folder = fresh()
  const path = fifo(join(folder, 'a.png'))
  await expect(read(path)).rejects.toThrow(`${path}: is not a regular file`)
  await expect(read('/dev/zero')).rejects.toThrow('is not a regular file')
  await expect(read(folder)).rejects.toBeInstanceOf(ItemUnavailable)
})

test.each([
  ['absent', (path: string) => rmSync(path), /no such file/],
  ['its folder away', (path: string) => renameSync(join(path, '..'), `${join(path, '..')}-away`), /no such file/],
  ['a file where its folder was', (path: string) => fileInPlaceOf(join(path, '..')), /is a file, not a folder/],
  ['a link that leads nowhere', (path: string) => linkInPlaceOf(path, `${path}-none`), /no such file/],
  ['a link to itself', (path: string) => linkInPlaceOf(path, path), /too many symbolic links/]
])('%s: a file is unavailable, which says nothing of what is in it', async (_, spoil, message) => {
  const path = join(fresh(), 'a.png')
  writeFileSync(path, 'x')
  spoil(path)
  await expect(read(path)).rejects.toThrow(message)
  await expect(read(path)).rejects.toBeInstanceOf(ItemUnavailable)
  await expect(itemStamp([path])).rejects.toBeInstanceOf(ItemUnavailable)
})

const fileInPlaceOf = (folder: string): void => {
  rmSync(folder, { recursive: true })
  writeFileSync(folder, '')
}
const linkInPlaceOf = (path: string, target: string): void => {
  rmSync(path)
  symlinkSync(target, path)
}

test('a file that is too large is bad, not away', async () => {
  const path = join(fresh(), 'a')
  writeFileSync(path, 'x'.repeat(101))
  await expect(read(path)).rejects.toThrow('is larger than 100 bytes')
  await expect(read(path)).rejects.not.toBeInstanceOf(ItemUnavailable)
})
