/** A cell of the grids that detectors without anchors lay over their input, one for each stride. */
export interface GridCell {
  readonly x: number
  readonly y: number
  /** Pixels. */
  readonly stride: number
}

/** Row by row, grid by grid; a grid of an input that its stride does not divide is rounded up. */
export const gridCells = (width: number, height: number, strides: readonly number[]): GridCell[] =>
  strides.flatMap(stride => {
    const columns = Math.ceil(width / stride)
    const cells = columns * Math.ceil(height / stride)
    return Array.from({ length: cells }, (_, i) => ({ x: i % columns, y: Math.floor(i / columns), stride }))
  })
