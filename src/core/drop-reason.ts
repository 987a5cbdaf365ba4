/**
 * Why a datum was let go before it was computed, for no fault of its own. `queueFull`: more waited than its source's queue
 * holds; `deadline`: it was not begun in time, or not done in time where its source lets go of such; `stopped`: its source or
 * its device was stopped before; `cancelled`: whoever asked for it does not want it any more.
 */
export const DROP_REASONS = ['queueFull', 'deadline', 'stopped', 'cancelled'] as const

export type DropReason = (typeof DROP_REASONS)[number]

/** For people, after "since". */
export const DROP_WORDS: Readonly<Record<DropReason, string>> = {
  queueFull: 'its queue was full',
  deadline: 'its deadline had passed',
  stopped: 'its source was stopped',
  cancelled: 'nobody waited for it any more'
}

/** @param reason also of a newer version, which is shown as it is */
export const dropWords = (reason: string): string => (DROP_WORDS as Readonly<Record<string, string>>)[reason] ?? reason
