import { createInterface } from 'node:readline'
import { z } from 'zod'
import { bytesPerSecond, type Seconds, seconds } from '../../core/units.ts'
import type { EmulatedEngine } from '../../emulation/emulated-engine.ts'
import type { EmulatedLinks } from '../../emulation/emulated-links.ts'
import { isAddress } from '../../runtime/network/parse-address.ts'
import { redact } from '../../runtime/network/redact.ts'
import { AdmissionGate } from './admission-gate.ts'
import type { NodeLog } from './node-log.ts'

const addressSchema = z.string().refine(isAddress)

/** One line. SI units. */
const orderSchema = z.union([
  /** The run began so many seconds ago: sources start, blocks that move are paced as everything else. */
  z.strictObject({ start: z.number().min(0).finite() }),
  /** A device of the same cluster listens at this address. */
  z.strictObject({ join: addressSchema }),
  /** Only data with numbers below this may begin, at each source: a run in rounds. */
  z.strictObject({ admit: z.int().min(0) }),
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
  /** How far sources may go. */
  readonly gate: AdmissionGate
  /** From now on orders are done; those that came before, too. */
  obey(parts: OrderedParts): void
}

export interface OrderedParts {
  /** Its lanes. */
  readonly engines: readonly EmulatedEngine[]
  readonly links: EmulatedLinks
  readonly join: (address: string) => void
  readonly stopAdapting: () => void
}

/** What whoever emulates the network says on standard input. What is no order is told and ignored. */
export const takeOrders = (log: NodeLog): NodeOrders => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<Seconds>()
  const gate = new AdmissionGate()
  return {
    begun,
    gate,
    obey: parts => {
      createInterface({ input: process.stdin }).on('line', line => {
        const order = orderSchema.safeParse(parsed(line))
        if (!order.success) log.say(`not an order: ${redact(line.slice(0, 200))}`, 'warn')
        else if ('start' in order.data) {
          parts.links.isFreeForBlobs = false
          begin(seconds(order.data.start))
        } else if ('admit' in order.data) gate.allow(order.data.admit)
        else obey(order.data, parts)
      })
    }
  }
}

const obey = (
  order: Exclude<z.output<typeof orderSchema>, { readonly start: number } | { readonly admit: number }>,
  { engines, links, join, stopAdapting }: OrderedParts
): void => {
  if ('adapt' in order) stopAdapting()
  else if ('join' in order) join(order.join)
  else if ('speed' in order) for (const engine of engines) engine.setSpeed(order.speed)
  else {
    const { link, rate, latency } = order
    links.change(
      link,
      rate === undefined ? undefined : bytesPerSecond(rate),
      latency === undefined ? undefined : seconds(latency)
    )
  }
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
