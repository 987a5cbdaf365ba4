import { z } from 'zod'

const names = z.array(z.string())

/** What a reload changed, as `tributary reload --json` prints it. Names. */
export const reloadReportSchema = z.object({
  models: z.object({ added: names, changed: names, removed: names }),
  sources: z.object({ added: names, changed: names, removed: names, weighed: names.default([]) }),
  sinks: z.object({ added: names, removed: names })
})

export type ReloadReport = z.infer<typeof reloadReportSchema>
