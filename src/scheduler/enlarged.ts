/** A copy with room for index `needed`, at least twice as long as before; what is new is 0. */
export const enlarged = (array: Float64Array, needed: number): Float64Array<ArrayBuffer> => {
  const larger = new Float64Array(Math.max(needed + 1, 2 * array.length))
  larger.set(array)
  return larger
}
