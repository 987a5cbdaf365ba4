/** Three significant digits without an exponent: "0.0123", "1.50", "1234"; "–" for what is not a number. */
export const threeDigits = (value: number): string => {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100) return value.toFixed(0)
  return Math.abs(value) < 1e-6 ? '0' : value.toPrecision(3)
}
