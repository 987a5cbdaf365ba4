import { blockRanges } from '../../core/block-ranges.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { planningWords } from '../../runtime/device/planning-words.ts'

/** What is good to know of a cluster, and needs nothing done. */
export const notesOf = ({ devices, sources, guests }: ClusterStatus): readonly string[] => [
  ...planningWords(devices),
  ...devices.flatMap(providerWords),
  ...sources
    .filter(({ isAsked, dropped }) => isAsked && dropped > 0)
    .map(({ name, dropped }) => `source ${name}: ${dropped} not begun in time, or not waited for`),
  ...guests.map(({ name }) => `guest ${name}: looks on or asks, and computes nothing`)
]

/** What blocks run on, a line for each model, where a device was told of more than cpu. */
const providerWords = ({ name, models }: ClusterStatus['devices'][number]): readonly string[] =>
  Object.entries(models).flatMap(([model, { blocks, providers }]) => {
    if (providers === undefined) return []
    const names = [...new Set(providers.map(({ provider }) => provider))]
    const each = names.map(one => `${blockRanges(blocks.filter((_, i) => providers[i]?.provider === one))} on ${one}`)
    return [`${name}: ${model} ${each.join(', ')}`]
  })
