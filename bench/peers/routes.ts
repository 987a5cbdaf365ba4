/** Blocks `from` to before `until` on one device. */
export interface Leg {
  readonly device: number
  readonly from: number
  readonly until: number
}

/**
 * Every sequence of devices that together carry all blocks, each computing as far as it carries blocks without a gap.
 * @param placement for each device its blocks
 */
export const routesOf = (placement: readonly (readonly number[])[], blocks: number): readonly (readonly Leg[])[] => {
  const carried = placement.map(own => new Set(own))
  const after = (from: number): readonly (readonly Leg[])[] => {
    if (from === blocks) return [[]]
    return carried.flatMap((own, device) => {
      let until = from
      while (own.has(until)) until++
      return until === from ? [] : after(until).map(rest => [{ device, from, until }, ...rest])
    })
  }
  return after(0)
}
