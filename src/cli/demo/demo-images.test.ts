import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findImages } from './demo-images.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-images-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const put = async (...paths: string[]): Promise<void> => {
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), path)
  }
}
const find = () => findImages(folder, ['porch', 'door'], join(folder, 'scratch'))

test('a subfolder for each source is used as it is', async () => {
  await put('porch/b.png', 'porch/a.png', 'door/c.png', 'stray.png')
  await writeFile(join(folder, 'texts.json'), '{"porch/a.png": "EXIT", "c.png": "Bay 7"}')
  expect(await find()).toEqual([
    { source: 'porch', folder: join(folder, 'porch'), items: ['a.png', 'b.png'], truth: new Map([['a.png', 'EXIT']]) },
    { source: 'door', folder: join(folder, 'door'), items: ['c.png'], truth: new Map([['c.png', 'Bay 7']]) }
  ])
})

test('files of one folder are dealt out in turn, hidden ones and the texts left out', async () => {
  await put('a.png', 'b.png', 'c.jpg', '.hidden')
  await writeFile(join(folder, 'texts.json'), '{}')
  expect((await find()).map(({ source, items }) => [source, items])).toEqual([
    ['porch', ['a.png', 'c.jpg']],
    ['door', ['b.png']]
  ])
})

test('too few files, no folder, and texts that are none are refused with the folder named', async () => {
  await put('a.png')
  await expect(find()).rejects.toThrow(/holds 1 files and no folders porch and door .* at least one image/)
  await expect(findImages(join(folder, 'none'), ['porch'], folder)).rejects.toThrow(/none.*no such file/)
  await writeFile(join(folder, 'texts.json'), '[1]')
  await expect(find()).rejects.toThrow(/texts.json is not a JSON object/)
})
