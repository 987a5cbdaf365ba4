import type { ClusterStatus } from '../../runtime/device/device-status.ts'

/** What keeps a cluster from giving more, in words, and what in the picture is marked. */
export interface Limit {
  readonly kind: 'trouble' | 'device' | 'link' | 'source' | 'nothing'
  readonly headline: string
  readonly advice: string
  /** Names of devices; of a link both its ends. */
  readonly marked: readonly string[]
}

/** Bytes per second from one device to another, as seen over the last seconds. */
export interface Flow {
  readonly from: string
  readonly to: string
  readonly bytesPerSecond: number
}

/** A share of the time from which on something is taken for used up. */
const FULL = 0.85

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** Judged by what is used: what has no room left is what more of would help. */
export const whatLimits = (status: ClusterStatus, flows: readonly Flow[]): Limit => {
  const stuck = troubleOf(status)
  if (stuck !== undefined) return stuck
  const running = status.sources.filter(({ state }) => state === 'running')
  if (running.length === 0)
    return {
      kind: 'nothing',
      headline: 'No source brings data now.',
      advice: status.sources.length === 0 ? 'Give a device a source.' : 'All sources are done, or wait to begin.',
      marked: []
    }
  const [busiest] = [...status.devices].sort((a, b) => b.busy - a.busy)
  const link = fullestLink(status, flows)
  if (link !== undefined && link.use >= FULL && link.use >= (busiest?.busy ?? 0))
    return {
      kind: 'link',
      headline: `The link from ${link.from} to ${link.to} is full (${percent(link.use)}) and limits the whole.`,
      advice: 'A faster link, or an activation encoding that sends fewer bytes, would give more.',
      marked: [link.from, link.to]
    }
  if (busiest !== undefined && busiest.busy >= FULL) return deviceLimit(status, busiest.name)
  return {
    kind: 'source',
    headline: 'Nothing is used up: the sources bring no more than this.',
    advice: `The busiest device computes ${percent(busiest?.busy ?? 0)} of the time.`,
    marked: []
  }
}

const troubleOf = ({ sources, placement }: ClusterStatus): Limit | undefined => {
  const held = sources.find(({ state, because }) => state === 'failed' || (state === 'running' && because !== ''))
  if (held !== undefined)
    return {
      kind: 'trouble',
      headline: `Source ${held.name} of ${held.device} does not go on.`,
      advice: held.because,
      marked: [held.device]
    }
  const [unplaced] = placement.unplaced
  if (unplaced === undefined) return undefined
  return {
    kind: 'trouble',
    headline: `Block ${unplaced.block} of ${unplaced.model} fits on no device.`,
    advice: unplaced.because,
    marked: []
  }
}

const deviceLimit = ({ devices }: ClusterStatus, busiest: string): Limit => {
  const full = devices.filter(({ busy }) => busy >= FULL)
  if (full.length === devices.length)
    return {
      kind: 'device',
      headline:
        full.length === 1
          ? `${busiest} computes all the time and limits the whole.`
          : 'All devices compute all the time.',
      advice: 'Another device, or a faster one, would give more.',
      marked: full.map(({ name }) => name)
    }
  const named = full.map(({ name, busy }) => `${name} (${percent(busy)})`).join(', ')
  return {
    kind: 'device',
    headline: `${named} ${full.length === 1 ? 'computes' : 'compute'} all the time and ${full.length === 1 ? 'limits' : 'limit'} the whole.`,
    advice: 'The others have time left: their memory, their links or their speed keep work from them.',
    marked: full.map(({ name }) => name)
  }
}

const fullestLink = ({ devices }: ClusterStatus, flows: readonly Flow[]) => {
  const used = flows.flatMap(({ from, to, bytesPerSecond }) => {
    const rate = devices.find(({ name }) => name === from)?.links.find(link => link.to === to)?.rate
    return rate === undefined || rate <= 0 ? [] : [{ from, to, use: Math.min(1, bytesPerSecond / rate) }]
  })
  return used.sort((a, b) => b.use - a.use)[0]
}
