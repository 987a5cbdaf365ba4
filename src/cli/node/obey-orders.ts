import { createInterface } from 'node:readline'
import { z } from 'zod'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import type { Engine } from '../../runtime/engine/engine.ts'
import type { EmulatedLinks } from './emulated-links.ts'
import type { NodeLog } from './node-log.ts'

/** One line: another emulated speed, or another rate or latency towards a device. SI units. */
const orderSchema = z.union([
  z.strictObject({ speed: z.number().positive().max(1) }),
  z.strictObject({
    link: z.string(),
    rate: z.number().positive().finite().optional(),
    latency: z.number().min(0).finite().optional()
  })
])

export type NodeOrder = z.input<typeof orderSchema>

/** Do what whoever emulates the network says on standard input. What is no order is told and ignored. */
export const obeyOrders = ({ engine, links, log }: { engine: Engine; links: EmulatedLinks; log: NodeLog }): void => {
  createInterface({ input: process.stdin }).on('line', line => {
    const order = orderSchema.safeParse(parsed(line))
    if (!order.success) log.say(`not an order: ${line.slice(0, 200)}`)
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

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
