import { z } from 'zod'
import { checkedOptions } from '../../core/checked-options.ts'
import { NAME_PATTERN, NAME_WORDS } from '../../core/name-pattern.ts'
import { seconds } from '../../core/units.ts'
import { memoryItem } from '../../library/memory-item.ts'
import { createMemoryPort } from '../../library/memory-port.ts'
import type { Outcome } from '../../library/outcome.ts'
import { createOutcomeSink } from '../../library/outcome-sink.ts'
import type { Device } from '../../runtime/device/device.ts'
import { SourceRunner } from '../../runtime/device/source-runner.ts'
import type { ItemLike } from '../../runtime/io/tensor-like.ts'
import type { ProcessClock } from './process-clock.ts'

/** What a source in memory has. Seconds. */
export interface MemorySourceOptions {
  /** Unique on its device. */
  readonly name: string
  /** The model's name, whoever owns it. @default the cluster's only one */
  readonly model?: string
  /** All its data, as `addSource` of `joinCluster` takes them. */
  readonly items: readonly ItemLike[]
  /** How many may be on their way at once; auto: as few as keep its throughput. @default 'auto' */
  readonly window?: number | 'auto'
  /** What it counts beside other sources, where the policy minds. @default 1 */
  readonly weight?: number
  /** Seconds between two data. @default all are there at once */
  readonly every?: number
}

const schema = z.strictObject({
  name: z.string().regex(NAME_PATTERN, NAME_WORDS),
  model: z.string().min(1).optional(),
  items: z.array(z.unknown().transform(given => given as ItemLike)),
  window: z.int().min(1).max(100_000).or(z.literal('auto')).default('auto'),
  weight: z.number().min(1e-6).max(1e9).default(1),
  every: z.number().min(0).optional()
})

/** A source whose data and outcomes are in memory. */
export class MemorySource {
  readonly name: string
  /** What became of its data, in the order in which it was known. */
  readonly outcomes: Outcome[] = []
  readonly #count: number

  constructor(
    options: MemorySourceOptions,
    { device, clock, said }: { readonly device: Device; readonly clock: ProcessClock; readonly said: string[] }
  ) {
    const { name, model, items, window, weight, every } = checkedOptions(schema, options, 'addSource')
    this.name = name
    this.#count = items.length
    const deviceName = device.view.self
    const sink = createOutcomeSink(name, { room: async () => {}, deliver: outcome => void this.outcomes.push(outcome) })
    const arrivals =
      every === undefined ? ({ kind: 'saturated' } as const) : ({ kind: 'every', interval: seconds(every) } as const)
    const runner = new SourceRunner({
      spec: { ...{ name, model, window, weight, arrivals }, start: seconds(0), patience: seconds(0) },
      ...{ deviceName, clock, wallTime: () => clock.now(), view: device.view, sink },
      settled: datum => sink.settled(datum),
      openItems: async () => ({
        todo: items.map((item, datum) => ({ datum, item: memoryItem(item, datum) })),
        ...{ total: items.length, away: [] }
      }),
      createPort: createMemoryPort,
      availableAt: every === undefined ? undefined : datum => seconds(datum * every),
      ...{ breaker: device.breaker, submit: device.submit, isHere: device.isHere },
      ...{
        setAside: device.setAside,
        full: device.full,
        cancel: device.cancel,
        stretch: device.stretch,
        observe: device.observer,
        tracer: device.tracer
      },
      say: text => said.push(text)
    })
    device.addSource(runner).catch(error => said.push(`source ${name}: ${error.message}`))
  }

  /** Each of its data has its outcome. */
  get isDone(): boolean {
    return this.outcomes.length === this.#count
  }
}
