/**
 * Node's flags for a device's process. V8 gives new objects two spaces of 16 MB by and by, and takes them away again when
 * little happens; a device makes some megabytes of them a second, for which 4 MB do.
 */
export const DEVICE_FLAGS = ['--max-semi-space-size=4'] as const

/** Bytes. What glibc begins with, before it raises it to the largest block that was ever freed. */
const OWN_PAGES = '131072'

/**
 * The environment of a device's process. glibc keeps memory that was freed between what is still used; with tensors of some
 * 100 KB coming and going on two threads, a device that lives long creeps up by tens of megabytes. A fixed threshold gives
 * each tensor pages of its own, which go back to the machine with it (docs/decisions/0009). New pages cost time, a lot of it on
 * some virtual machines, so who lives for minutes only does without. Elsewhere it means nothing. What the user has set stays.
 */
export const deviceEnvironment = (own: NodeJS.ProcessEnv, livesLong: boolean): NodeJS.ProcessEnv =>
  livesLong ? { MALLOC_MMAP_THRESHOLD_: OWN_PAGES, MALLOC_TRIM_THRESHOLD_: OWN_PAGES, ...own } : own
