/** Of what a program writes as a number: its unit in a scenario. */
const UNITS: Readonly<Record<string, string>> = {
  ...{ memory: 'B', weights: 'B', activations: 'B' },
  ...{ work: 's', latency: 's', start: 's', deadline: 's', every: 's', at: 's' },
  ...{ bandwidth: 'bps', poisson: '/s', rate: '/s' }
}
/** No scenario is as deep. */
const DEEPEST = 8

/**
 * A scenario of a program, where quantities may be numbers: seconds, bytes, bits per second, data per second; block times are
 * milliseconds in files too. What is given is not written to.
 */
export const withUnits = (value: unknown, key = '', depth = 0): unknown => {
  const unit = Object.hasOwn(UNITS, key) ? UNITS[key] : undefined
  if (typeof value === 'number') return unit === undefined ? value : `${value}${unit}`
  if (typeof value !== 'object' || value === null || key === 'times' || key === 'batch' || depth > DEEPEST) return value
  if (Array.isArray(value)) return value.map(entry => withUnits(entry, key, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withUnits(inner, name, depth + 1)]))
}
