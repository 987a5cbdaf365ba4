import { dropWords } from '../../core/drop-reason.ts'
import { auditedElsewhere } from '../../runtime/device/audited-elsewhere.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { whyUnplanned } from './why-unplanned.ts'

/** Something that somebody should know of. */
export interface Ailment {
  /** A device, a source of one, or a model. */
  readonly where: string
  readonly what: string
  /** '' where nobody knows. */
  readonly because: string
  /** Something does not work now; else it did not at some time, and is counted. */
  readonly isGrave: boolean
}

type Status = Pick<ClusterStatus, 'devices' | 'sources' | 'setAside' | 'audits' | 'placement' | 'differences'> &
  Partial<Pick<ClusterStatus, 'planner'>>

/** All that a status says is wrong, the gravest first. */
export const ailments = (status: Status): readonly Ailment[] =>
  [
    ...status.devices.flatMap(ofDevice),
    ...status.sources.flatMap(ofSource),
    ...status.setAside.map(setAside),
    ...auditedElsewhere(status).map(({ by, ...one }) => ({ ...setAside(one), because: `${by} says: ${one.because}` })),
    ...status.placement.unplaced.map(({ model, block, because }) =>
      grave(model, `block ${block} is carried by nobody`, because)
    ),
    ...[whyUnplanned(status) ?? []].flat().map(found => ({ where: 'the cluster', ...found })),
    ...status.differences.map(text => grave('the cluster', 'devices were told differently', text))
  ].sort((a, b) => Number(b.isGrave) - Number(a.isGrave))

const grave = (where: string, what: string, because: string): Ailment => ({ where, what, because, isGrave: true })
const slight = (where: string, what: string, because = ''): Ailment => ({ where, what, because, isGrave: false })

const setAside = ({ device, model, seconds, because }: Status['setAside'][number]): Ailment =>
  grave(device, `does not compute ${model} for ${seconds === null ? 'good' : `${Math.ceil(seconds)} s`}`, because)

const ofDevice = ({
  name,
  state,
  because,
  troubles,
  jobs,
  counters,
  refusedPeers
}: Status['devices'][number]): Ailment[] => [
  ...(state === 'failed' ? [grave(name, 'has failed', because)] : []),
  ...(state === 'draining' ? [slight(name, 'is leaving', because)] : []),
  ...troubles.map(text => grave(name, 'is in trouble', text)),
  ...jobs.map(({ job, times, because, lasts }) => ({
    ...{
      where: name,
      what: `${lasts ? 'fails' : 'has failed'} at ${job}, ${times === 1 ? 'once' : `${times} times`}`,
      because,
      isGrave: lasts
    }
  })),
  ...refusedPeers.map(({ peer, because }) => slight(name, `does not hear all of ${peer}`, because)),
  ...counted(
    name,
    counters.refusedPeers,
    ['device was refused', 'devices were refused'],
    `the log of ${name} says why`
  ),
  ...counted(name, counters.refusedTasks, ['task was refused', 'tasks were refused']),
  ...counted(
    name,
    counters.unproven,
    ['result was refused', 'results were refused'],
    'whoever sent them was not given these data'
  ),
  ...counted(name, counters.malformedFrames, ['message could not be read', 'messages could not be read']),
  ...counted(name, counters.oversizedFrames, ['message was too large', 'messages were too large'])
]

const ofSource = (source: Status['sources'][number]): Ailment[] => {
  const where = `${source.name} of ${source.device}`
  return [
    ...(source.state === 'failed' ? [grave(where, 'has failed', source.because)] : []),
    ...(source.state !== 'failed' && source.because !== '' ? [slight(where, 'waits', source.because)] : []),
    ...source.deliveries.flatMap(({ to, because }) =>
      because === '' ? [] : [grave(where, `results are not delivered to ${to}`, because)]
    ),
    ...counted(where, source.failed, ['datum has failed', 'data have failed']),
    ...counted(where, source.dropped, ['datum was dropped', 'data were dropped'], reasonsOf(source.droppedBy)),
    ...counted(where, source.unavailable, ['item is away', 'items are away'])
  ]
}

const counted = (where: string, count: number, [one, many]: readonly [string, string], because = ''): Ailment[] =>
  count > 0 ? [slight(where, `${count} ${count === 1 ? one : many}`, because)] : []

const reasonsOf = (by: Readonly<Record<string, number>>): string =>
  Object.entries(by)
    .map(([reason, count]) => `${count} since ${dropWords(reason)}`)
    .join(', ')
