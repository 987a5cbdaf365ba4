import type { Recorded } from '../../runtime/ports/sink.ts'
import type { SourceData } from '../../runtime/ports/source-data.ts'
import { toyItem } from './toy-port.ts'

/** Of a simulated source of so many data those that its sink does not have. */
export const toyItems = (count: number, recorded: ReadonlyMap<number, Recorded>): SourceData => ({
  todo: Array.from({ length: count }, (_, datum) => ({ datum, item: toyItem(datum) })).filter(
    ({ datum }) => !recorded.has(datum)
  ),
  ...{ total: count, away: [] }
})
