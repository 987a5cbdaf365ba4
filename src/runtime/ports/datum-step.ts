import { z } from 'zod'
import { DROP_REASONS } from '../../core/drop-reason.ts'
import { FAIL_REASONS } from '../../core/fail-reason.ts'

const instant = z.number().finite()
const name = z.string().max(512)
const traceContext = z.object({ traceId: z.string().length(32), spanId: z.string().length(16) })
const of = { source: name, datum: z.int().min(0), trace: traceContext.optional() }
/** It waited from `ready` on. */
const span = { ready: instant, start: instant, end: instant }

/**
 * One thing that a device did for a datum. Instants are seconds of whichever clock whoever tells it has; sources have the ids
 * that are unique in the cluster. A datum of camera `cam` on porch, two blocks of it on porch and the rest on shed:
 *
 *   { did: 'admitted', source: 'cam@porch', datum: 7, available: 10.0, at: 10.01 }
 *   { did: 'ran', source: 'cam@porch', datum: 7, model: 'ocr', block: 0, ready: 10.01, start: 10.02, end: 10.05 }
 *   { did: 'sent', source: 'cam@porch', datum: 7, to: 'shed', activation: 1, bytes: 602112, ready: 10.05, start: 10.05, end: 10.09 }
 *   { did: 'ended', outcome: 'result', source: 'cam@porch', datum: 7, available: 10.0, at: 10.2 }
 */
export const datumStepSchema = z.union([
  z.object({ did: z.literal('ran'), ...of, model: name, block: z.int().min(0), ...span }),
  z.object({ did: z.literal('sent'), ...of, to: name, activation: z.int().min(0), bytes: z.number(), ...span }),
  z.object({ did: z.literal('admitted'), ...of, available: instant, at: instant }),
  z.object({ did: z.literal('ended'), outcome: z.literal('result'), ...of, available: instant, at: instant }),
  z.object({
    did: z.literal('ended'),
    outcome: z.literal('dropped'),
    ...of,
    reason: z.enum(DROP_REASONS),
    at: instant
  }),
  z.object({
    did: z.literal('ended'),
    outcome: z.literal('failed'),
    ...of,
    reason: z.enum(FAIL_REASONS).optional(),
    at: instant
  })
])

export type DatumStep = z.infer<typeof datumStepSchema>
