/**
 * Why a datum was let go before it was computed, for no fault of its own. `queueFull`: more waited than its source's queue
 * holds; `deadline`: it was not begun in time, or not done in time where its source lets go of such; `stopped`: its source or
 * its device was stopped before; `cancelled`: whoever asked for it does not want it any more.
 */
export const DROP_REASONS = ['queueFull', 'deadline', 'stopped', 'cancelled'] as const

export type DropReason = (typeof DROP_REASONS)[number]
