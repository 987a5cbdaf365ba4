import { z } from 'zod'
import { datumStepSchema } from '../../ports/datum-step.ts'

/** What all devices did lately for data, on the clock of the device that asked them. Seconds. */
export const clusterStepsSchema = z.object({
  /** The clock of the device that asked, at the end. */
  now: z.number(),
  devices: z.array(
    z.object({
      id: z.string(),
      /** As others' steps name it in `to`. */
      name: z.string(),
      /** Its instants are right within so many seconds: half of the quickest answer. 0: it is the one that asked. */
      within: z.number(),
      /** Steps that it had forgotten before it was asked, or that were more than wanted. */
      missed: z.number(),
      /** Why it has told nothing; '' where it has. */
      because: z.string()
    })
  ),
  /** In the order in which they began. `device` is the id of whoever did it. */
  steps: z.array(z.intersection(z.object({ device: z.string() }), datumStepSchema))
})

export type ClusterSteps = z.infer<typeof clusterStepsSchema>
export type ClusterStep = ClusterSteps['steps'][number]
