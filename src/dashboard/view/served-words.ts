import type { Served } from '../../planner/outlook.ts'

export type Service = Extract<Served, { kind: 'served' }>

const percent = (share: number): string => `${share < 0.095 ? (100 * share).toFixed(1) : Math.round(100 * share)} %`

/** Results per second of all sources together. */
export const totalRate = ({ sources }: Service): number => sources.reduce((sum, { rate }) => sum + rate, 0)

/** What more of each resource would give that has no time left, in words. */
export const tightWords = ({ tight }: Pick<Service, 'tight'>): readonly string[] =>
  tight.map(({ kind, name, devices, gain }) => {
    const what =
      kind === 'device'
        ? `${name} computing`
        : kind === 'link'
          ? `the link from ${devices[0]} to ${devices[1]}`
          : `the medium ${name}`
    const more = kind === 'device' ? 'speed' : 'bandwidth'
    return `${what}: a tenth more ${more} gives ${percent(0.1 * gain)} more results`
  })

/** Whether distributing does, in words. */
export const paysWords = ({ scale, alone }: Service): string => {
  if (alone === 0) return 'Distributing pays: the sources’ own devices could not do it alone.'
  const times = scale / alone
  return times > 1.02
    ? `Distributing pays: it serves ${times.toPrecision(3)} times what the sources’ own devices could alone.`
    : 'Distributing does not pay: the sources’ own devices could do as much alone.'
}
