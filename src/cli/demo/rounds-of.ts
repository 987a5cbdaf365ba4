import type { SourceImages } from './demo-images.ts'

/** Rounds say how much a rate varies; three are few, and each fills the devices once more and lets them run empty. */
const ROUNDS = 3
/** Images of a source in a round, at least: with fewer, filling and draining the devices is most of it. */
const LEAST = 12

/** By source: how many of its images are read when the round is over, those of earlier rounds too, and which are this round's. */
export type Round = ReadonlyMap<string, { readonly upTo: number; readonly items: readonly string[] }>

/** The rounds in which images are read, each source's in the order of their names; all rounds alike. */
export const roundsOf = (images: readonly Pick<SourceImages, 'source' | 'items'>[]): readonly Round[] => {
  const least = Math.min(...images.map(({ items }) => items.length))
  const rounds = Math.max(1, Math.min(ROUNDS, Math.floor(least / LEAST)))
  const end = (count: number, round: number): number => Math.round((count * round) / rounds)
  return Array.from({ length: rounds }, (_, round) => {
    const parts = images.map(({ source, items }) => {
      const [from, upTo] = [end(items.length, round), end(items.length, round + 1)]
      return [source, { upTo, items: items.slice(from, upTo) }] as const
    })
    return new Map(parts)
  })
}
