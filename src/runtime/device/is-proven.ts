import type { DeviceId } from '../../core/ids.ts'

/** A block of a datum failed on a device. */
export interface BlockFailure {
  readonly device: DeviceId
  readonly block: number
  readonly because: string
  /** Who says so of it: one of the two is wrong. Absent: the device itself says so, or its home has seen it. */
  readonly accuser?: DeviceId
}

export interface Jury {
  readonly home: DeviceId
  /** It fails at what others can do: what fails there proves nothing. */
  readonly isDiscredited: (device: DeviceId) => boolean
  /** Who could compute the block, those who have tried it included. */
  readonly carriers: (block: number) => readonly DeviceId[]
  /** Others are known who have not tried it and may come to carry it yet: they may just have been started anew. @default false */
  readonly mayOthersCome?: boolean
  /** Since it last computed a datum it has failed at none but this one, or it has computed others since this one failed. @default of nobody */
  readonly failsAtThisOnly?: (device: DeviceId) => boolean
  /** It has failed for longer than anybody waits for a device that is broken to be mended. @default false */
  readonly isTooLong?: boolean
}

/** Failures without which nothing is proven: what was wrong may pass. */
const LEAST = 3
/** So many different devices are not all broken, however many more there are. */
const MOST_WITNESSES = 4

/**
 * Whether a datum is known to be one that cannot be computed: a block of it has failed on different devices and nobody is left to try
 * it whose word counts (or on four), or at home where nobody else could try it, or on the only device that has its block
 * and computes others. Where that device computes nothing, whose fault it is cannot be known: then it is a matter of time.
 * Pure; refusals, silence and losses are no failures and never come here. Where too few can try it now and others may come,
 * they are waited for.
 */
export const isProven = (
  failures: readonly BlockFailure[],
  { home, isDiscredited, carriers, mayOthersCome = false, failsAtThisOnly = () => false, isTooLong = false }: Jury
): boolean => {
  const { block } = failures.at(-1)!
  const isEnough = failures.length >= LEAST
  // Who failed at another block says nothing of this one: a datum fails where its computation does, the same everywhere.
  const ofBlock = failures.filter(failure => failure.block === block)
  const failed = new Set(ofBlock.map(({ device }) => device))
  const believed = ofBlock.filter(({ device, accuser }) => !isDiscredited(device) && !isDiscredited(accuser ?? device))
  const credible = apart(believed)
  const all = carriers(block)
  const untried = all.filter(device => !failed.has(device))
  if (credible >= MOST_WITNESSES || (isTooLong && isEnough)) return true
  if (credible >= 2) return untried.every(isDiscredited) && (isEnough || (all.length === 0 && !mayOthersCome))
  const isHeard = believed.some(
    ({ device, accuser }) => accuser === undefined && (device === home || failsAtThisOnly(device))
  )
  return isEnough && isHeard && untried.length === 0 && !mayOthersCome
}

/** However many one accuses, and however many accuse one: that is one. */
const apart = (failures: readonly BlockFailure[]): number =>
  Math.min(
    new Set(failures.map(({ device }) => device)).size,
    new Set(failures.map(({ device, accuser }) => accuser ?? device)).size
  )
