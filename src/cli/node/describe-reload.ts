import type { ReloadReport } from './reload-report.ts'

/** "source door added; sinks a.jsonl, b.jsonl removed" */
export const describeReload = ({ models, sources, sinks }: ReloadReport): string => {
  const lists = Object.entries({ model: models, source: sources, sink: sinks }).flatMap(([kind, changes]) =>
    Object.entries(changes).map(([what, names]) => ({ kind, what, names }))
  )
  const parts = lists
    .filter(({ names }) => names.length > 0)
    .map(({ kind, what, names }) => `${kind}${names.length > 1 ? 's' : ''} ${names.join(', ')} ${what}`)
  return parts.length === 0 ? 'nothing has changed' : parts.join('; ')
}
