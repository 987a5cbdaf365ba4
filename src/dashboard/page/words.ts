const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** "1.2 MiB". */
export const bytesText = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toPrecision(2)} ${UNITS[unit]}`
}

/** "16.204 s": of moments that are close to each other. */
export const momentText = (seconds: number): string => `${seconds.toFixed(3)} s`

/** "24 ms", "1.3 s"; a dash where nothing was measured. */
export const timeText = (seconds: number | null): string => {
  if (seconds === null) return '–'
  if (seconds < 0.9995) return `${seconds < 0.01 ? (1000 * seconds).toPrecision(2) : Math.round(1000 * seconds)} ms`
  return seconds < 100 ? `${seconds.toPrecision(2)} s` : `${Math.round(seconds)} s`
}

/** Bits per second: what is faster was measured within one machine, and is no number to go by. */
const FAST = 1e10

/** "20 Mbit/s". */
export const rateText = (bytesPerSecond: number): string => {
  const bits = 8 * bytesPerSecond
  if (bits >= FAST) return 'over 10 Gbit/s'
  if (bits >= 1e9) return `${(bits / 1e9).toPrecision(2)} Gbit/s`
  if (bits >= 1e6) return `${bits >= 1e8 ? Math.round(bits / 1e6) : (bits / 1e6).toPrecision(2)} Mbit/s`
  return `${Math.round(bits / 1e3)} kbit/s`
}

export const perSecondText = (rate: number): string => (rate >= 99.5 ? `${Math.round(rate)}` : rate.toPrecision(2))

/** "0–3, 5" of 0, 1, 2, 3, 5. */
export const rangesText = (numbers: readonly number[]): string => {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ')
}

export const clockText = (time: number): string => new Date(1000 * time).toLocaleTimeString()

/** "40 s", "12 min", "3 h", "2 days". */
export const ageText = (seconds: number): string => {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}
