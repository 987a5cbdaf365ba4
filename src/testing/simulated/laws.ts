import { isDropped, isFailed, isNoItem, type SinkEntry } from '../../runtime/ports/sink-entry.ts'
import { entriesOn } from './memory-sink.ts'
import { range, type SimulatedScenario } from './scenario.ts'
import type { SimulatedDevice } from './simulated-device.ts'
import { type ToyModel, toyAnswer } from './toy-model.ts'

/** Collects the laws that a run breaks. */
export interface Laws {
  /** One sentence. */
  readonly broken: (law: string) => void
}

/** A block that does not end is noticed after 10 s, and its model set aside for 60 s; a peer that hangs is given up after 60 s. */
const RECOVERY = 90
/** What no device can compute, on a device that could compute nothing else: src/runtime/device/appeals.ts. */
const GIVING_UP = 310

/**
 * Once nothing goes wrong any more, every source has all its outcomes within so many seconds: those of mending, and as long as
 * the slowest device takes for all data by itself.
 */
export const longestEnd = ({ devices, models, sources }: SimulatedScenario): number => {
  const work = models.map(model => model.work.reduce((a, b) => a + b, 0))
  const all = sources.reduce((sum, { count, model }) => sum + count * work[model]!, 0)
  const slowest = Math.min(...devices.map(({ speed }) => speed))
  const givingUp = sources.some(({ poison }) => poison.length > 0) ? GIVING_UP : 0
  return RECOVERY + all / slowest + givingUp
}

/**
 * What of a source's data has not become what it should: each has exactly one outcome, the right one. One is given up only
 * where no device can compute it, and has failed untried only where its item is bad.
 */
export const wrongOutcomes = (
  scenario: SimulatedScenario,
  models: readonly (readonly ToyModel[])[],
  devices: readonly SimulatedDevice[],
  tags: number
): string[] =>
  scenario.sources.flatMap((source, number) => {
    const device = devices[source.device]!
    const id = device.sourceId(number)
    const lines = new Map<number, SinkEntry[]>()
    for (const entry of entriesOn(device.sinkDisk))
      if (entry.source === id) lines.set(entry.datum, [...(lines.get(entry.datum) ?? []), entry])
    const versions = models[source.model]!
    return range(source.count).flatMap(datum => {
      const outcomes = lines.get(datum) ?? []
      const what = `datum ${datum} of ${id}`
      if (outcomes.length !== 1) return [`${what} has ${outcomes.length} outcomes`]
      const [entry] = outcomes as [SinkEntry]
      if (source.bad.includes(datum)) return isNoItem(entry) ? [] : [`${what} was taken for an item`]
      if (source.poison.includes(datum)) return isFailed(entry) && !isNoItem(entry) ? [] : [`${what} was not given up`]
      if (isFailed(entry)) return [`${what} has failed: ${entry.cause}`]
      if (isDropped(entry)) return [`${what} was dropped: ${entry.reason}`]
      const rights = versions.map(
        model => `${model.manifest.id.slice(0, 8)} ${toyAnswer(model, number, number * tags + datum)}`
      )
      return rights.includes(String(entry.result))
        ? []
        : [`${what} has the result ${String(entry.result).slice(0, 80)}, not ${rights[0]!.slice(0, 80)}`]
    })
  })
