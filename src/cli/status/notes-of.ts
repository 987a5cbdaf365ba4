import type { ClusterStatus } from '../../runtime/device/device-status.ts'

/** What is good to know of a cluster, and needs nothing done. */
export const notesOf = ({ sources, guests }: ClusterStatus): readonly string[] => [
  ...sources
    .filter(({ isAsked, dropped }) => isAsked && dropped > 0)
    .map(({ name, dropped }) => `source ${name}: ${dropped} not begun in time, or not waited for`),
  ...guests.map(({ name }) => `guest ${name}: looks on or asks, and computes nothing`)
]
