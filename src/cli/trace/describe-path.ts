import { formatSeconds } from '../../core/format-quantity.ts'
import { foldText } from '../../report/fold-text.ts'
import { textTable } from '../../report/text-table.ts'
import type { DatumPath, PathPart } from './datum-path.ts'

const BAR = 24
const INK = { waited: '·', computed: '█', travelled: '━' } as const
const right = (title: string) => ({ title, align: 'right' as const })

/**
 * One datum's way for people, in 80 columns: each part with its time, and where on the way it lies. What it waited before it was
 * admitted has no place there: behind a long one nothing else would be seen.
 */
export const describePath = (path: DatumPath): string => {
  const { parts, source, datum, traceId, within } = path
  const whole = path.took ?? Math.max(0, ...parts.map(({ to }) => to))
  const begun = Math.max(0, ...parts.filter(({ isBefore }) => isBefore).map(({ to }) => to))
  const rows = parts.map(part => [
    time(part.from),
    time(part.to - part.from),
    part.isBefore ? '' : bar({ ...part, from: part.from - begun, to: part.to - begun }, whole - begun),
    part.device,
    `${part.kind} ${part.what}`
  ])
  return [
    foldText(`datum ${datum} of ${source}: ${endOf(path)}`),
    ...(traceId === undefined ? [] : [`trace ${traceId}`]),
    '',
    textTable([right('at'), right('took'), { title: 'when' }, { title: 'on' }, { title: 'what' }], rows),
    '',
    foldText(sums(parts, whole)),
    ...(within > 0 ? [foldText(`Clocks of devices differ: instants are right within ${formatSeconds(within)}.`)] : [])
  ].join('\n')
}

const endOf = ({ outcome, reason, took, home }: DatumPath): string => {
  if (took === undefined) return 'under way, or its end is forgotten'
  const at = home === undefined ? '' : ` on ${home}`
  return `${outcome}${reason === '' ? '' : ` (${reason})`} after ${formatSeconds(took)}${at}`
}

const time = (seconds: number): string => (seconds < 1e-6 ? '0 s' : formatSeconds(seconds))

const bar = ({ kind, from, to }: Pick<PathPart, 'kind' | 'from' | 'to'>, whole: number): string => {
  if (whole <= 0) return ''
  const place = (time: number): number => Math.max(0, Math.min(BAR, (BAR * time) / whole))
  const start = Math.min(BAR - 1, Math.floor(place(from)))
  const end = Math.max(start + 1, Math.round(place(to)))
  return ' '.repeat(start) + INK[kind].repeat(end - start)
}

/** Parts may overlap where a datum was sent out again. */
const sums = (parts: readonly PathPart[], whole: number): string =>
  (['waited', 'computed', 'travelled'] as const)
    .map(kind => {
      const sum = parts.filter(part => part.kind === kind).reduce((all, { from, to }) => all + to - from, 0)
      return `${kind} ${time(sum)}${whole > 0 ? ` (${((100 * sum) / whole).toFixed(0)} %)` : ''} ${INK[kind]}`
    })
    .join(', ')
