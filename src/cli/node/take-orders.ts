import { createInterface } from 'node:readline'
import { z } from 'zod'
import { bytesPerSecond, type Seconds, seconds } from '../../core/units.ts'
import type { Engine } from '../../runtime/engine/engine.ts'
import type { EmulatedLinks } from './emulated-links.ts'
import type { NodeLog } from './node-log.ts'

/** One line. SI units. */
const orderSchema = z.union([
  /** The run began so many seconds ago: sources start, blocks that move are paced as everything else. */
  z.strictObject({ start: z.number().min(0).finite() }),
  /** For comparison: costs, rates and placement stay as they are now. */
  z.strictObject({ adapt: z.literal(false) }),
  /** Another emulated speed. */
  z.strictObject({ speed: z.number().positive().max(1) }),
  /** Another rate or latency towards a device, by its id or name. */
  z.strictObject({
    link: z.string(),
    rate: z.number().positive().finite().optional(),
    latency: z.number().min(0).finite().optional()
  })
])

export type NodeOrder = z.input<typeof orderSchema>

export interface NodeOrders {
  /** Resolves when the run begins, with how long ago that was. */
  readonly begun: Promise<Seconds>
  /** From now on orders are done; those that came before, too. */
  obey(parts: OrderedParts): void
}

export interface OrderedParts {
  readonly engine: Engine
  readonly links: EmulatedLinks
  readonly stopAdapting: () => void
}

/** What whoever emulates the network says on standard input. What is no order is told and ignored. */
export const takeOrders = (log: NodeLog): NodeOrders => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<Seconds>()
  return {
    begun,
    obey: ({ engine, links, stopAdapting }) => {
      createInterface({ input: process.stdin }).on('line', line => {
        const order = orderSchema.safeParse(parsed(line))
        if (!order.success) log.say(`not an order: ${line.slice(0, 200)}`)
        else if ('start' in order.data) {
          links.isFreeForBlobs = false
          begin(seconds(order.data.start))
        } else if ('adapt' in order.data) stopAdapting()
        else if ('speed' in order.data) engine.setSpeed(order.data.speed)
        else {
          const { link, rate, latency } = order.data
          links.change(
            link,
            rate === undefined ? undefined : bytesPerSecond(rate),
            latency === undefined ? undefined : seconds(latency)
          )
        }
      })
    }
  }
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
