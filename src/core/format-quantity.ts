import type { Bytes, Seconds } from './units.ts'

/** Three significant digits, without an exponent for the sizes people meet. */
const three = (n: number): string => (n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2))

/** "10.8 MiB" */
export const formatBytes = (n: Bytes | number): string => {
  if (n < 1024) return `${n} B`
  if (n < 2 ** 20) return `${three(n / 1024)} KiB`
  if (n < 2 ** 30) return `${three(n / 2 ** 20)} MiB`
  return `${three(n / 2 ** 30)} GiB`
}

/** "41.0 ms", "1.25 s" */
export const formatSeconds = (s: Seconds | number): string => {
  if (s >= 1) return `${three(s)} s`
  if (s >= 1e-3) return `${three(s * 1e3)} ms`
  return `${three(s * 1e6)} us`
}
