import type { ScenarioSource } from '../../core/scenario.ts'

/** What `--source` of a device says of a scenario's source. */
export const sourceFlag = (source: ScenarioSource, model: string): string => {
  const { name, count, window, weight, arrivals, start, files } = source
  const when =
    arrivals.kind === 'saturated'
      ? 'saturated'
      : arrivals.kind === 'poisson'
        ? `poisson:${arrivals.rate}/s`
        : `every:${arrivals.interval}s`
  const settings = [
    ...[`model=${model}`, `window=${window}`, `weight=${weight}`, `arrivals=${when}`, `start=${start}s`],
    ...termsOf(source)
  ].join(',')
  return files === undefined
    ? `${name}=synthetic:${count},${settings}`
    : `${name}=dir:${files.dir},count=${count},${settings}`
}

/** The data of a saturated source wait until they are wanted: its queue is never too full. */
const termsOf = ({ arrivals, terms }: Pick<ScenarioSource, 'arrivals' | 'terms'>): string[] => {
  const { deadline, drop, queue, rate, late } = terms
  return [
    ...(deadline === Number.POSITIVE_INFINITY ? [] : [`deadline=${deadline}s`, `late=${late}`]),
    ...(arrivals.kind === 'saturated' ? [] : [`drop=${drop}`]),
    `queue=${queue}`,
    ...(rate === Number.POSITIVE_INFINITY ? [] : [`rate=${rate}/s`])
  ]
}
