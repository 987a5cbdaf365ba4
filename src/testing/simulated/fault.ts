import type { Rng } from '../../core/rng.ts'

/** Something that goes wrong at `at` and, where it has an end, for `lasts` seconds. Devices and sources by number. */
export type Fault = { readonly at: number } & (
  | {
      readonly kind: 'crash' | 'power' | 'leave'
      readonly device: number
      readonly lasts: number
      readonly wipes: boolean
    }
  /** An owner is killed and comes back with other models of the same names. */
  | { readonly kind: 'swap'; readonly device: number; readonly lasts: number }
  /** An owner has one more model from now on, whose blocks another of its models has too. */
  | { readonly kind: 'model'; readonly device: number }
  /** It comes late. */
  | { readonly kind: 'absent'; readonly device: number; readonly lasts: number }
  /** It goes and does not come back. */
  | { readonly kind: 'gone'; readonly device: number }
  | {
      readonly kind: 'hang' | 'fail' | 'stick' | 'fullSink' | 'slowSink' | 'fullDisk' | 'slowDisk'
      readonly device: number
      readonly lasts: number
    }
  | { readonly kind: 'slow'; readonly device: number; readonly factor: number; readonly lasts: number }
  /** What is sent to it comes again, up to seconds later. */
  | { readonly kind: 'twice'; readonly device: number; readonly lasts: number }
  | { readonly kind: 'cut'; readonly from: number; readonly to: number; readonly lasts: number }
  | { readonly kind: 'partition'; readonly devices: readonly number[]; readonly lasts: number }
  /** `reset`: what is under way is lost, and nobody is taken for lost. */
  | { readonly kind: 'disconnect' | 'reset'; readonly from: number; readonly to: number }
  | {
      readonly kind: 'slowWire'
      readonly from: number
      readonly to: number
      readonly factor: number
      readonly lasts: number
    }
  | { readonly kind: 'itemsAway'; readonly source: number; readonly lasts: number }
  | { readonly kind: 'wallJump'; readonly device: number; readonly by: number }
)

export interface FaultLimits {
  readonly devices: number
  readonly sources: number
  /** That must come back: owners of models, and of sources. */
  readonly needed: ReadonlySet<number>
  readonly owners: readonly number[]
}

/** Faults begin within so many seconds; of most clusters not before the first data are under way. */
const SPAN = 5.8
const UNDER_WAY = 3.2
const LATEST = 7.5
/** Longer than a silent peer's connection is kept. */
const FOR_DEAD = 65
/** Those that remain have memory for all blocks. */
const MOST_GONE = 2

/** Anything, to anybody, at any time; after `LATEST` nothing more goes wrong, and everybody who is needed is there again. */
export const faultSchedule = (rng: Rng, limits: FaultLimits): Fault[] => {
  const { owners } = limits
  // Some days are worse than others.
  const count = Math.floor((rng.next() < 0.25 ? 20 : 9) * rng.next())
  const faults: Fault[] = []
  const first = rng.next() < 0.65 ? UNDER_WAY : 0
  let gone = 0
  for (let i = 0; i < count; i++) {
    const fault = faultOf(rng.fork(`${i}`), limits, first)
    if (fault.kind !== 'gone' || gone++ < MOST_GONE) faults.push(fault)
  }
  const models = rng.fork('models')
  if (owners.length > 0 && models.next() < 0.2)
    faults.push({
      at: tenth(UNDER_WAY + (SPAN - UNDER_WAY) * models.next()),
      kind: 'model',
      device: owners[Math.floor(owners.length * models.next())]!
    })
  return faults.sort((a, b) => a.at - b.at)
}

const KINDS = [
  ...['crash', 'crash', 'crash', 'power', 'power', 'leave', 'leave', 'absent', 'gone', 'hang', 'hang', 'hang'],
  ...['cut', 'cut', 'partition', 'partition', 'disconnect', 'disconnect', 'reset', 'reset', 'slow', 'slow', 'slowWire'],
  ...['fail', 'fail', 'stick', 'fullSink', 'slowSink', 'fullDisk', 'slowDisk', 'itemsAway', 'wallJump', 'swap'],
  ...['twice', 'twice']
] as const

const faultOf = (rng: Rng, { devices, sources, needed, owners }: FaultLimits, first: number): Fault => {
  const kind = KINDS[Math.floor(KINDS.length * rng.next())] as Fault['kind']
  const at = tenth(first + (SPAN - first) * rng.next())
  const lasts = tenth(Math.min(LATEST - at, 0.2 + 7 * rng.next() ** 2))
  const device = Math.floor(devices * rng.next())
  const other = (device + 1 + Math.floor((devices - 1) * rng.next())) % devices
  switch (kind) {
    case 'crash':
    case 'power':
    case 'leave':
      return { at, kind, device, lasts, wipes: rng.next() < 0.25 }
    case 'swap':
      return { at, kind, device: owners[Math.floor(owners.length * rng.next())]!, lasts }
    case 'absent':
      return { at: 0, kind, device, lasts: tenth(4 * rng.next()) }
    case 'gone':
      return needed.has(device) ? { at, kind: 'crash', device, lasts, wipes: false } : { at, kind, device }
    case 'slow':
      return { at, kind, device, factor: Math.ceil(20 * rng.next()), lasts }
    case 'cut':
      return { at, kind, from: device, to: other, lasts }
    case 'slowWire':
      return { at, kind, from: device, to: other, factor: Math.ceil(50 * rng.next()), lasts }
    case 'disconnect':
    case 'reset':
      return { at, kind, from: device, to: other }
    case 'partition': {
      const apart = Array.from({ length: devices }, (_, n) => n).filter(() => rng.next() < 0.5)
      return { at, kind, devices: apart, lasts }
    }
    case 'itemsAway':
      return { at, kind, source: Math.floor(sources * rng.next()), lasts }
    case 'wallJump':
      return { at, kind, device, by: Math.round(7200 * (rng.next() - 0.5)) }
    case 'hang':
      // Sometimes for so long that nobody counts on it any more.
      return { at, kind, device, lasts: rng.next() < 0.03 ? FOR_DEAD : lasts }
    default:
      return { at, kind, device, lasts }
  }
}

const tenth = (x: number): number => Math.round(10 * x) / 10
