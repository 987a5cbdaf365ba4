import type { World } from './world.ts'

/** Where a datum stands: `done` blocks of a model are finished. 0 is the input itself. */
export interface Progress {
  /** By its number in the world. */
  readonly model: number
  readonly done: number
}

/**
 * What follows a block that has run: the next one; the way home, with what it made as the result, though blocks are left
 * (an early exit); or the model's first block again, with what it made as its input (generation).
 */
export type Follow = 'next' | 'home' | 'again'

/** Blocks of a model. */
export const blocksOf = (world: Pick<World, 'models'>, model: number): number => world.models[model]!.work.length

/** What it has is its result: only the way home is left. */
export const isFinished = (world: Pick<World, 'models'>, { model, done }: Progress): boolean =>
  done >= blocksOf(world, model)

/** The same, of a model of so many blocks. */
export const doneAfter = (done: number, blocks: number, follow: Follow = 'next'): number => {
  if (follow === 'home') return blocks
  return follow === 'again' ? 0 : done + 1
}

/** @returns how many blocks are done after the one that was next has run */
export const advanced = (world: Pick<World, 'models'>, { model, done }: Progress, follow: Follow = 'next'): number => {
  return doneAfter(done, blocksOf(world, model), follow)
}
