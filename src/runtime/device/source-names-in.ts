import { z } from 'zod'

const namedSchema = z.object({ sources: z.array(z.object({ name: z.string() })) })

/** A device's status names its sources in the order in which it states them. @param status JSON @returns none where it is no status */
export const sourceNamesIn = (status: string): readonly string[] => {
  try {
    return namedSchema.parse(JSON.parse(status)).sources.map(({ name }) => name)
  } catch {
    return []
  }
}
