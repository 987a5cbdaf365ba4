import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { type Service, tightWords, totalRate } from './served-words.ts'
import { whyUnplanned } from './why-unplanned.ts'

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

/** In shares of its rate: nothing carries so much of what it can. */
const GUESSED = 1.2

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** Bytes per second from which on a rate is of memory, or of a cable that nobody fills: it is not judged by. */
const PLAUSIBLE = 1.25e9

/**
 * One verdict: the planner's, where it knows the cluster as it is and something is used up; else by what is used alone.
 * @param plan of the blocks where they are; absent where none is known that still holds
 */
export const whatLimits = (status: ClusterStatus, flows: readonly Flow[], plan?: Service): Limit => {
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
  const isUsedUp = (link?.use ?? 0) >= FULL || (busiest?.busy ?? 0) >= FULL
  const rate = running.reduce((sum, source) => sum + source.rate, 0)
  const [dearest] = plan?.tight ?? []
  const isHeld = running.some(({ inFlight, window }) => window > 0 && inFlight >= window)
  if (dearest !== undefined && (isUsedUp || isHeld || rate >= FULL * totalRate(plan!)))
    return plannedLimit(dearest, rate / totalRate(plan!))
  if (link !== undefined && link.use >= FULL && link.use >= (busiest?.busy ?? 0))
    return {
      kind: 'link',
      headline: `${link.words} is full (${percent(link.use)}) and limits the whole.`,
      advice: 'A faster link, or an activation encoding that sends fewer bytes, would give more.',
      marked: link.devices
    }
  if (busiest !== undefined && busiest.busy >= FULL) return deviceLimit(status, busiest.name)
  if (isHeld)
    return {
      kind: 'nothing',
      headline: 'Nothing is used up, and yet the sources would bring more.',
      advice: `Data wait for each other, or what else runs on the devices slows them: the busiest computes ${percent(busiest?.busy ?? 0)} of the time.`,
      marked: []
    }
  return {
    kind: 'source',
    headline: 'Nothing is used up: the sources bring no more than this.',
    advice: `The busiest device computes ${percent(busiest?.busy ?? 0)} of the time.`,
    marked: []
  }
}

/** @param served the share of what the plan can serve that is served */
const plannedLimit = (dearest: Service['tight'][number], served: number): Limit => {
  const [words] = tightWords({ tight: [dearest] })
  return {
    kind: dearest.kind === 'device' ? 'device' : 'link',
    headline: `What limits the whole is ${words}.`,
    advice:
      served >= FULL
        ? ''
        : `Only ${percent(served)} of what the planner reckons with is served: devices or links are slower now than it believes.`,
    marked: dearest.devices
  }
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const troubleOf = (status: ClusterStatus): Limit | undefined => {
  const { sources, placement } = status
  const idle = whyUnplanned(status)
  // While other blocks are loaded, those that are there go on.
  const goesOn = sources.some(({ state, rate }) => state === 'running' && rate > 0)
  if (idle !== undefined && (idle.isGrave || !goesOn))
    return {
      kind: idle.isGrave ? 'trouble' : 'nothing',
      headline: `${sentence(idle.what)}: what limits the whole is not known.`,
      advice: `${sentence(idle.because)}.`,
      marked: []
    }
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

/** Links that share a medium are one. A rate below what was seen on it is a guess. */
const fullestLink = ({ devices }: ClusterStatus, flows: readonly Flow[]) => {
  const used = new Map<string, { words: string; devices: readonly string[]; rate: number; carries: number }>()
  for (const { from, to, bytesPerSecond } of flows) {
    const link = devices.find(({ name }) => name === from)?.links.find(link => link.to === to)
    if (link === undefined || link.rate <= 0 || (!link.emulated && link.rate > PLAUSIBLE)) continue
    const isShared = (link.medium ?? '') !== ''
    const key = isShared ? link.medium : `${from}\n${to}`
    const before = used.get(key)
    const ends = [...new Set([...(before?.devices ?? []), from, to])]
    used.set(key, {
      words: isShared ? `The medium of ${ends.join(', ')}` : `The link from ${from} to ${to}`,
      devices: ends,
      rate: link.rate,
      carries: (before?.carries ?? 0) + bytesPerSecond
    })
  }
  return [...used.values()]
    .map(link => ({ ...link, use: link.carries / link.rate }))
    .filter(({ use }) => use < GUESSED)
    .map(link => ({ ...link, use: Math.min(1, link.use) }))
    .sort((a, b) => b.use - a.use)[0]
}
