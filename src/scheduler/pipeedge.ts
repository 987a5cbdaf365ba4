import { bestPipeline } from '../core/best-pipeline.ts'
import type { Seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { fastestWay } from './fastest-way.ts'
import { OnceASecond } from './once-a-second.ts'
import type { CreatePolicy, Decision, Step, TaskState } from './policy.ts'
import { reportInterval } from './report-interval.ts'
import { Reporting } from './reporting.ts'
import { stepsOfStages } from './steps-of-stages.ts'

export interface PipeEdgeOptions {
  /** Entries of the exact programme's table: beyond that it considers only some devices. Default: what takes about 24 MB. */
  readonly maxStates?: number
}

/**
 * `pipeedge`: Hu et al., arXiv 2110.14895.
 *
 * Stated by the source: one pipeline over heterogeneous devices; a dynamic programme over (layers done, devices used, last
 * device) finds the contiguous parts and the order of devices whose slowest stage, computing or sending, is fastest; devices
 * of one type are only counted.
 * Reconstructed: a stage is the blocks of one device, within what it carries; sending to a device that is no neighbour
 * counts as the slowest hop of the way there; the ways from the source and home count too.
 * Our choice: each source has its own pipeline, blind to the others; where the programme's table would become too large,
 * devices that differ by less than 5 % count as one type, and then only some are considered: those that cover the blocks
 * with fewest devices, then the fastest; among equal bottlenecks the shortest total time; where those devices allow no
 * pipeline (a device comes once in it), the fastest unloaded way; the pipeline is found anew at most once a second, at once
 * when a device or block comes or goes. A stage serves data in the order in which they arrive at it, and each to its end, as
 * a process that loops over its queue does.
 */
export const createPipeEdge =
  ({ maxStates }: PipeEdgeOptions = {}): CreatePolicy =>
  host => {
    const { world, self } = host
    const reporting = new Reporting(host)
    const routes = new OnceASecond<readonly Step[] | number>(world)

    const decide = (task: TaskState, now: Seconds): Decision => {
      const key = `${task.model} ${task.done} ${task.home}`
      const route = routes.get(key, now, () => pipelineRoute(world, self, task, maxStates))
      return typeof route === 'number' ? { kind: 'wait', block: route } : { kind: 'go', steps: route }
    }

    return {
      name: 'pipeedge',
      wholeModels: 'in pipelines',
      reportInterval: () => reportInterval(world),
      admit: decide,
      next: decide,
      rank: task => task.arrivedAt,
      sent: () => {},
      arrived: (_, from) => reporting.arrived(from),
      report: () => reporting.report(),
      remark: () => reporting.report(),
      heard: () => {}
    }
  }

/** @returns the steps, or the first block that cannot be reached */
const pipelineRoute = (world: World, self: number, task: TaskState, maxStates?: number): readonly Step[] | number => {
  const way = fastestWay(world, self, task)
  if (typeof way === 'number') return way
  const { model, done, home } = task
  const limit = maxStates === undefined ? {} : { maxStates }
  const pipeline = bestPipeline({ world, model, from: self, done, home, ...limit })
  return pipeline === undefined ? way : stepsOfStages(world, self, task, pipeline.stages)
}
