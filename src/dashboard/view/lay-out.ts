export interface Point {
  readonly x: number
  readonly y: number
}

/**
 * Devices on an ellipse, in the order of their names, the first at the top: a device stays where it was while the same ones are there.
 * @param radii of the ellipse around 0, 0
 */
export const layOut = (names: readonly string[], radii: Point): ReadonlyMap<string, Point> => {
  const sorted = [...names].sort()
  if (sorted.length === 1) return new Map([[sorted[0]!, { x: 0, y: 0 }]])
  const at = (index: number): Point => {
    const angle = (2 * Math.PI * index) / sorted.length - Math.PI / 2
    return { x: radii.x * Math.cos(angle), y: radii.y * Math.sin(angle) }
  }
  return new Map(sorted.map((name, i) => [name, at(i)]))
}
