/** Another device that speaks of a block's model. */
export interface PossibleHolder {
  /** It owns the model, or carries the block. */
  readonly has: boolean
  /** Of the link from it, bytes per second; 0 where none is known. */
  readonly rate: number
}

/** Whom to ask for a block, in this order: those that say they have it, over the fastest link first; then the others who speak of its model. */
export const whomToAsk = <T extends PossibleHolder>(holders: readonly T[]): readonly T[] => {
  const fastestFirst = (has: boolean): T[] =>
    holders.filter(holder => holder.has === has).sort((a, b) => b.rate - a.rate)
  return [...fastestFirst(true), ...fastestFirst(false)]
}
