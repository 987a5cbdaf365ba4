import { existsSync } from 'node:fs'
import { mkdtemp, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from './make-folder.ts'

test('makes a folder with its parents, and again', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'tributary-folder-')), 'a', 'b', 'c')
  await makeFolder(folder)
  await makeFolder(folder)
  expect((await stat(folder)).isDirectory()).toBe(true)
})

test('a file in the way is an error', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'tributary-folder-')), 'file')
  await writeFile(file, '')
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolder(join(file, 'a', 'b'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test.skipIf(!existsSync('/proc/self'))('a file system that will not have it says so, and does not hang', async () => {
  await expect(makeFolder('/proc/tributary/report')).rejects.toMatchObject({ code: 'ENOENT' })
})
