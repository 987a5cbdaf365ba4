import type { DeviceId } from '../../core/ids.ts'

/** A block of a datum failed on a device. */
export interface BlockFailure {
  readonly device: DeviceId
  readonly block: number
  readonly because: string
}

export interface Jury {
  readonly home: DeviceId
  /** It fails at what others can do: what fails there proves nothing. */
  readonly isDiscredited: (device: DeviceId) => boolean
  /** Somebody is there who could compute the block, besides these. */
  readonly isThereAnother: (block: number, than: ReadonlySet<DeviceId>) => boolean
}

/** Failures without which nothing is proven: what was wrong may pass. */
const LEAST = 3

/**
 * Whether a datum is known to be one that cannot be computed: it has failed on different devices, or at home where nobody
 * else could try it. Pure; refusals, silence and losses are no failures and never come here.
 */
export const isProven = (failures: readonly BlockFailure[], { home, isDiscredited, isThereAnother }: Jury): boolean => {
  const { block } = failures.at(-1)!
  const isEnough = failures.length >= LEAST
  const failed = new Set(failures.map(({ device }) => device))
  const credible = [...failed].filter(device => !isDiscredited(device))
  if (credible.length >= 2) return isEnough || !isThereAnother(block, new Set())
  return isEnough && credible.includes(home) && !isThereAnother(block, failed)
}
