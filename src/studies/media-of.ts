import type { Scenario } from '../core/scenario.ts'
import type { MediumRun, PolicyRun } from '../report/run-report.ts'

/** What the links of each shared medium come to together: one of them at a time is on the air. */
export const mediaOf = ({ links, devices }: Scenario, run: Pick<PolicyRun, 'links'>): MediumRun[] => {
  const mediumOf = new Map<string, number>()
  for (const { from, to, medium } of links)
    if (medium !== undefined) mediumOf.set(`${devices[from]!.name}\n${devices[to]!.name}`, medium)
  const media = new Map<number, { names: Set<string>; bytes: number; busy: number }>()
  for (const { from, to, bytes, busy } of run.links) {
    const medium = mediumOf.get(`${from}\n${to}`)
    if (medium === undefined) continue
    const sum = media.get(medium) ?? { names: new Set(), bytes: 0, busy: 0 }
    media.set(medium, { names: sum.names.add(from).add(to), bytes: sum.bytes + bytes, busy: sum.busy + busy })
  }
  return [...media.values()].map(({ names, bytes, busy }) => ({
    devices: [...names],
    bytes,
    busy: Math.min(1, busy)
  }))
}
