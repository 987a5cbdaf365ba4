import { z } from 'zod'
import { bytesPerSecond } from '../core/units.ts'
import type { ProblemNames } from './capacity-of.ts'
import type { PlacementProblem } from './placement.ts'

const name = z.string().min(1).max(200)

/** What might become otherwise in a cluster, by the names of its devices. SI units. */
export const outlookChangeSchema = z.union([
  z.strictObject({ leaves: name }),
  /** So many times as fast as it is. */
  z.strictObject({ device: name, speed: z.number().min(0.01).max(100) }),
  /** Bytes per second, of the link from one to the other and of the way back. */
  z.strictObject({ from: name, to: name, rate: z.number().min(1).max(1e12) })
])

export type OutlookChange = z.infer<typeof outlookChangeSchema>

export interface NamedProblem {
  readonly problem: PlacementProblem
  readonly names: ProblemNames
}

/** The cluster as it would be. @returns because, where nothing of the kind is there */
export const changedProblem = (
  asked: NamedProblem,
  change: OutlookChange
): NamedProblem | { readonly because: string } => {
  const { problem, names } = asked
  const numberOf = (device: string): number => names.devices.indexOf(device)
  const wanted = 'leaves' in change ? [change.leaves] : 'device' in change ? [change.device] : [change.from, change.to]
  const unknown = wanted.find(device => numberOf(device) === -1)
  if (unknown !== undefined)
    return { because: `there is no device "${unknown}" to plan for (there: ${names.devices.join(', ')})` }
  if ('leaves' in change) return without(asked, numberOf(change.leaves))
  if ('device' in change) return { names, problem: faster(problem, numberOf(change.device), change.speed) }
  const [from, to] = [numberOf(change.from), numberOf(change.to)]
  const isMeant = (link: PlacementProblem['links'][number]): boolean =>
    (link.from === from && link.to === to) || (link.from === to && link.to === from)
  if (!problem.links.some(isMeant)) return { because: `no link is known between ${change.from} and ${change.to}` }
  const links = problem.links.map(link => (isMeant(link) ? { ...link, rate: bytesPerSecond(change.rate) } : link))
  return { names, problem: { ...problem, links } }
}

/** Its measured times are as much shorter. */
const faster = (problem: PlacementProblem, device: number, factor: number): PlacementProblem => ({
  ...problem,
  devices: problem.devices.map((one, n) => (n === device ? { ...one, speed: one.speed * factor } : one)),
  models: problem.models.map(model => ({
    ...model,
    times: model.times?.map((of, n) => (n === device ? of?.map(time => (time / factor) as typeof time) : of))
  }))
})

/** Its sources go with it. */
const without = ({ problem, names }: NamedProblem, gone: number): NamedProblem => {
  const stays = (n: number): boolean => n !== gone
  const renumbered = (n: number): number => (n > gone ? n - 1 : n)
  const isKept = problem.sources.map(({ device }) => stays(device))
  return {
    names: {
      devices: names.devices.filter((_, n) => stays(n)),
      models: names.models,
      sources: names.sources.filter((_, s) => isKept[s])
    },
    problem: {
      ...problem,
      devices: problem.devices.filter((_, n) => stays(n)),
      models: problem.models.map(model => ({ ...model, times: model.times?.filter((_, n) => stays(n)) })),
      links: problem.links
        .filter(({ from, to }) => stays(from) && stays(to))
        .map(link => ({ ...link, from: renumbered(link.from), to: renumbered(link.to) })),
      sources: problem.sources
        .filter((_, s) => isKept[s])
        .map(source => ({ ...source, device: renumbered(source.device) }))
    }
  }
}
