/**
 * Why a datum has failed, for good. `noItem`: its item is none of its kind, or could not be read in time; `unreadable`: it was under way and
 * its item cannot be read again; `computation`: a block of it cannot be computed; `result`: no result can be made of what came home.
 */
export const FAIL_REASONS = ['noItem', 'unreadable', 'computation', 'result'] as const

export type FailReason = (typeof FAIL_REASONS)[number]
