import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { roundsOf, splitImages } from './split-images.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-rounds-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const images = async (source: string, count: number) => {
  const own = join(folder, `${source}-${count}`)
  await mkdir(own, { recursive: true })
  const items = Array.from({ length: count }, (_, i) => `${String(i).padStart(3, '0')}.png`)
  for (const item of items) await writeFile(join(own, item), '')
  return { source, folder: own, items, truth: new Map<string, string>() }
}

test('every image is in exactly one round, the rounds alike', async () => {
  const all = [await images('porch', 72), await images('door', 40)]
  const rounds = await splitImages(all, join(folder, 'scratch'))
  expect(rounds).toHaveLength(3)
  const sizes = await Promise.all(rounds.map(async of => (await readdir(of.get('door')!)).length))
  expect(sizes).toEqual([14, 13, 13])
  const porch = (await Promise.all(rounds.map(of => readdir(of.get('porch')!)))).flat()
  expect(porch.sort()).toEqual(all[0]!.items)
})

test('few images are one round, and stay where they are', async () => {
  const few = [await images('porch', 72), await images('door', 23)]
  expect(roundsOf(few)).toBe(1)
  expect(await splitImages(few, folder)).toEqual([new Map(few.map(({ source, folder: own }) => [source, own]))])
})
