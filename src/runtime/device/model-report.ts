import { z } from 'zod'

/** A model as `tributary model list --json` shows it. Bytes. */
export const modelReportSchema = z.object({
  name: z.string(),
  /** Of the model as it is cut: what the name means. */
  id: z.string(),
  /** Of its file, the beginning. */
  digest: z.string(),
  revision: z.number(),
  /** Devices that are there and own it. */
  owners: z.array(z.string()),
  /** owned; orphaned: no owner is there; shadowed: another model of the name counts for devices without one of their own. */
  state: z.enum(['owned', 'orphaned', 'shadowed']),
  blocks: z.number(),
  bytes: z.number(),
  /** `name@device` of those that use it. */
  sources: z.array(z.string()),
  /** Loaded blocks by device. */
  carried: z.record(z.string(), z.array(z.number()))
})

export type ModelReport = z.infer<typeof modelReportSchema>

/** What a device answers about models. */
export const modelsAnswerSchema = z.object({
  answeredBy: z.string(),
  models: z.array(modelReportSchema),
  /** Of `remove`: what was removed; of `update`: the model before. */
  removed: z.array(z.object({ name: z.string(), id: z.string(), digest: z.string() })).default([]),
  /** Sources that wait now. */
  waiting: z.array(z.string()).default([]),
  /** Owners that did not answer, and why. */
  failed: z.array(z.object({ device: z.string(), because: z.string() })).default([]),
  /** Of `update`: false where the file is the very model that the name meant. */
  changed: z.boolean().default(false)
})

export type ModelsAnswer = z.infer<typeof modelsAnswerSchema>
