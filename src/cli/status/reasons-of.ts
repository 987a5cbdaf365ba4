import { formatBytes } from '../../core/format-quantity.ts'
import { auditedElsewhere } from '../../runtime/device/audited-elsewhere.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'

type Device = ClusterStatus['devices'][number]
type Source = ClusterStatus['sources'][number]

/** What stands still in a cluster or is wrong with it, and why; each once. */
export const reasonsOf = ({
  devices,
  sources,
  placement,
  differences,
  setAside,
  audits
}: ClusterStatus): readonly string[] => [
  ...new Set([
    ...devices.flatMap(({ name, state, because }) => (state === 'failed' ? [`${name} has failed: ${because}`] : [])),
    ...devices.flatMap(({ name, troubles }) => troubles.map(text => `${name}: ${text}`)),
    ...devices.flatMap(waitingOf),
    ...devices.flatMap(refusedOf),
    ...setAside.map(setAsideWords),
    ...auditedElsewhere({ setAside, audits }).map(({ by, ...one }) => `${by} says: ${setAsideWords(one)}`),
    ...sources.flatMap(source => (source.because === '' ? [] : [`source ${source.name}: ${source.because}`])),
    ...sources.flatMap(missingOf),
    ...sources.flatMap(undelivered),
    ...placement.unplaced.map(({ model, block, because }) => `block ${block} of ${model} is nowhere: ${because}`),
    ...differences
  ])
]

/** What will have no result in this run, or has none yet. */
const missingOf = ({ name, failed, dropped, unavailable, isAsked }: Source): string[] => [
  ...(failed > 0
    ? [`source ${name}: ${failed} failed; ${isAsked ? 'whoever asked was told' : 'the sink says'} why`]
    : []),
  ...(dropped > 0 && !isAsked ? [`source ${name}: ${dropped} dropped; the sink says why`] : []),
  ...(unavailable > 0 ? [`source ${name}: ${unavailable} absent, unreadable or still being written`] : [])
]

/** The same of each source of a device that writes there: said once. */
const undelivered = ({ device, deliveries }: Source): string[] =>
  deliveries
    .filter(({ waiting }) => waiting > 0)
    .map(({ to, waiting, because }) => {
      const why = because === '' ? '' : `: ${because}`
      return `${device}: ${formatBytes(waiting)} of results wait for ${to}${why}`
    })

const waitingOf = ({ name, waiting }: Device): string[] =>
  waiting.map(
    ({ model, block, tasks, because }) => `${name}: ${tasks} data wait for block ${block} of ${model}: ${because}`
  )

const refusedOf = ({ name, refusedPeers }: Device): string[] =>
  refusedPeers.map(({ peer, because, times }) => `${name} does not hear all of ${peer}: ${because} (${times} times)`)

const setAsideWords = ({ device, model, seconds, because }: ClusterStatus['setAside'][number]): string => {
  const until = seconds === null ? 'until it is started anew' : `for ${Math.ceil(seconds)} s more`
  return `${device} is set aside for ${model}, ${until}: ${because}`
}
