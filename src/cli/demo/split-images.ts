import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SourceImages } from './demo-images.ts'

/** Rounds say how much a rate varies; three are few, and each costs a start of all devices. */
const ROUNDS = 3
/** Images of a source in a round, at least: with fewer, filling and draining the devices is most of it. */
const LEAST = 12

/** In how many rounds so many images of each source are read. */
export const roundsOf = (images: readonly SourceImages[]): number => {
  const least = Math.min(...images.map(({ items }) => items.length))
  return Math.max(1, Math.min(ROUNDS, Math.floor(least / LEAST)))
}

/** Folders by source, for each round; every image in one of them, dealt out in turn. Copied below `scratch` where they must. */
export const splitImages = async (
  images: readonly SourceImages[],
  scratch: string
): Promise<readonly ReadonlyMap<string, string>[]> => {
  const rounds = roundsOf(images)
  if (rounds === 1) return [new Map(images.map(({ source, folder }) => [source, folder]))]
  const all: Map<string, string>[] = []
  for (let round = 0; round < rounds; round++) {
    const folders = new Map<string, string>()
    for (const { source, folder, items } of images) {
      const own = join(scratch, `round-${round}`, source)
      await mkdir(own, { recursive: true })
      for (const item of items.filter((_, i) => i % rounds === round))
        await copyFile(join(folder, item), join(own, item))
      folders.set(source, own)
    }
    all.push(folders)
  }
  return all
}
