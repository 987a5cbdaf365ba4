/** The range of a uniform distribution around zero with this variance. */
export const spread = (variance: number): { readonly low: number; readonly high: number } => {
  const edge = Math.sqrt(3 * variance)
  return { low: -edge, high: edge }
}
