import { type Bytes, bytes, type Seconds, seconds } from '../core/units.ts'

/** What the frames that crossed a link have shown of its rate. */
export interface LearntRate {
  /** Averaged, not bytes per second: the time that the next frame will take is what is asked for. Undefined before the first. */
  readonly secondsPerByte: number | undefined
  /** Frames in the average. */
  readonly samples: number
  /** The least average of this link so far. */
  readonly best: number
  readonly measuredAt: Seconds
}

export const NOTHING_LEARNT: LearntRate = {
  secondsPerByte: undefined,
  samples: 0,
  best: Number.POSITIVE_INFINITY,
  measuredAt: seconds(0)
}

/** Of the newest frame in the average. */
const WEIGHT = 0.2
/** Times what was known, in seconds per byte, from which a link is taken to have become slow. */
export const SLOWER = 2
/** One that is, and was not measured for so long, is measured again. */
const OLD: Seconds = seconds(5)
/** Least time between two measures because small frames were late. */
const LATE_PAUSE: Seconds = seconds(1)
/** A probe takes the link for no more than one in so many parts of its time. */
const PROBES_APART = 50

/** Bytes. Smaller frames measure the timers and the event loop, not the link. */
export const MEASURABLE: Bytes = bytes(32 * 1024)
/**
 * Sizes of the frames of a probe. The smaller one opens the stream and warms the way; it is too small to be measured itself.
 */
export const PROBE: readonly number[] = [MEASURABLE / 2, MEASURABLE * 2]
export const PROBE_BYTES: Bytes = bytes(PROBE.reduce((sum, size) => sum + size, 0))

/** A frame passed at so many seconds per byte. */
export const learnRate = (learnt: LearntRate, sample: number, at: Seconds): LearntRate => {
  const samples = learnt.samples + 1
  const weight = Math.max(WEIGHT, 1 / samples) // the first few count alike
  const secondsPerByte = (learnt.secondsPerByte ?? sample) * (1 - weight) + sample * weight
  return { secondsPerByte, samples, best: Math.min(learnt.best, secondsPerByte), measuredAt: at }
}

/** Forget how many samples the average is of: the next one counts for itself. */
export const doubtRate = (learnt: LearntRate, now: Seconds): LearntRate => ({ ...learnt, samples: 0, measuredAt: now })

/**
 * Whether the link should be measured again: frames that are too small to measure it come later than they should, or
 * it is taken to be much slower than it once was, on old evidence (who is avoided for being slow shows nobody that it no
 * longer is). As far as that is known, a probe takes no more than a fiftieth of the link's time.
 */
export const isRateDoubtful = (learnt: LearntRate, now: Seconds, areSmallOnesLate: boolean): boolean => {
  const { secondsPerByte, best, measuredAt } = learnt
  if (secondsPerByte === undefined) return false
  const pause = areSmallOnesLate ? LATE_PAUSE : secondsPerByte >= SLOWER * best ? OLD : Number.POSITIVE_INFINITY
  return now - measuredAt > Math.max(pause, PROBES_APART * PROBE_BYTES * secondsPerByte)
}
