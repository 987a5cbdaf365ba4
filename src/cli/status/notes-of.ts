import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { planningWords } from '../../runtime/device/planning-words.ts'

/** What is good to know of a cluster, and needs nothing done. */
export const notesOf = ({ devices, sources, guests }: ClusterStatus): readonly string[] => [
  ...planningWords(devices),
  ...sources
    .filter(({ isAsked, dropped }) => isAsked && dropped > 0)
    .map(({ name, dropped }) => `source ${name}: ${dropped} not begun in time, or not waited for`),
  ...guests.map(({ name }) => `guest ${name}: looks on or asks, and computes nothing`)
]
