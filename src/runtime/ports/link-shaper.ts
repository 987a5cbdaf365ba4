import type { Seconds } from '../../core/units.ts'

/** When what is sent begins to take a link, when its last byte has left, and when that reaches the other end. */
export interface Passage {
  readonly starts: Seconds
  readonly departs: Seconds
  readonly arrives: Seconds
}

/**
 * Shapes what is sent on one directed link, as routers shape traffic: an uplink is not to be filled, or the link stands for
 * another. What the real one needs is part of the time that it is given, not added to it. Instants of the network's clock.
 */
export interface LinkShaper {
  /** What every message takes besides its bytes. */
  readonly latency: Seconds
  /** Of the medium that it shares with other links, of other devices too; undefined for a link of its own. */
  readonly medium?: string | undefined
  /** Blocks pass at once. @default false */
  readonly sparesBlocks?: boolean
  /** Take the link's next free time for so many bytes. */
  pass(size: number): Passage | Promise<Passage>
  /** Sleep until an instant of a passage. @throws the signal's reason when aborted */
  until(instant: Seconds, signal: AbortSignal): Promise<void>
}
