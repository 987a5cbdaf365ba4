import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { renderImages } from './render-images.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-render-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const render = async (name: string, seed: string): Promise<Buffer[]> => {
  await renderImages(join(folder, name), { sources: ['porch', 'door'], imagesPerSource: 4, seed })
  const files = ['porch', 'door'].flatMap(source => [0, 1, 2, 3].map(i => `${source}/line-00${i}.png`))
  return Promise.all([...files, 'texts.json'].map(file => readFile(join(folder, name, file))))
}

test('the same seed draws the same pixels, another seed others', async () => {
  const [once, again, other] = [await render('a', '7'), await render('b', '7'), await render('c', '8')]
  expect(again.every((bytes, i) => bytes.equals(once[i]!))).toBe(true)
  expect(other.some((bytes, i) => bytes.equals(once[i]!))).toBe(false)
})

test('every image is readable, has ink on paper, and a true text beside it', async () => {
  await render('a', '1')
  const texts = JSON.parse(await readFile(join(folder, 'a', 'texts.json'), 'utf8')) as Record<string, string>
  for (const source of ['porch', 'door']) {
    for (const file of await readdir(join(folder, 'a', source))) {
      const { width, height } = await sharp(join(folder, 'a', source, file)).metadata()
      const { channels } = await sharp(join(folder, 'a', source, file)).stats()
      expect(width).toBeGreaterThan(20)
      expect(height).toBeGreaterThan(20)
      expect(channels[0]!.max - channels[0]!.min).toBeGreaterThan(60)
      expect(texts[`${source}/${file}`]).toMatch(/^[\x20-\x7e]+$/)
    }
  }
  expect(new Set(Object.values(texts)).size).toBeGreaterThan(4)
})
