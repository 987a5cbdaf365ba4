import type { EncodingReport } from '../../report/run-report.ts'

/** In two lines: what travelled how, and how far outputs are off. */
export const describeEncodingReport = (policy: string, encoding: EncodingReport): string => {
  const { choice, links, compared, maxDifference, meanDifference, largest } = encoding
  const names = [...new Set(links.map(link => link.encoding))].sort()
  const used = names.map(name => {
    const own = links.filter(link => link.encoding === name)
    return `${name} on ${own.map(({ from, to }) => `${from}->${to}`).join(', ')}`
  })
  const digits = (value: number | null): string => (value === null ? '-' : value.toPrecision(2))
  return [
    `${policy}: activations as ${choice}: ${used.join('; ')}`,
    compared === 0
      ? 'outputs could not be compared with those of the whole model'
      : `outputs against the whole model's: off by ${digits(meanDifference)} on average, ${digits(maxDifference)} at most, of values up to ${digits(largest)} (${compared} compared)`
  ].join('\n')
}
