import { z } from 'zod'
import { DROP_REASONS } from '../../core/drop-reason.ts'

const instant = z.number().finite()
const of = { source: z.string(), datum: z.int().min(0) }
const span = { start: instant, end: instant }

/**
 * One line of a device's trace. Instants are seconds of the machine's monotonic time, which all its processes share;
 * sources have the ids that are unique in the cluster.
 */
export const traceLineSchema = z.union([
  z.object({ did: z.literal('ran'), ...of, model: z.string(), block: z.int().min(0), ready: instant, ...span }),
  z.object({ did: z.literal('sent'), ...of, to: z.string(), activation: z.int().min(0), bytes: z.number(), ...span }),
  z.object({ did: z.literal('admitted'), ...of, available: instant, at: instant }),
  z.object({ did: z.literal('ended'), outcome: z.literal('result'), ...of, available: instant, at: instant }),
  z.object({
    did: z.literal('ended'),
    outcome: z.literal('dropped'),
    ...of,
    reason: z.enum(DROP_REASONS),
    at: instant
  }),
  z.object({ did: z.literal('ended'), outcome: z.literal('failed'), ...of, at: instant })
])

export type TraceLine = z.infer<typeof traceLineSchema>
