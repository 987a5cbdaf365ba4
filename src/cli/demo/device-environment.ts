/** Bytes. What glibc begins with, before it raises it to the largest block that was ever freed. */
const OWN_PAGES = '131072'

/**
 * The environment of a device's process. glibc keeps memory that was freed between what is still used; with tensors of some
 * 100 KB coming and going on two threads, a device that lives long creeps up by tens of megabytes. A fixed threshold gives
 * each tensor pages of its own, which go back to the machine with it (docs/decisions/0009). Elsewhere it means nothing.
 * What the user has set stays.
 */
export const deviceEnvironment = (own: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  MALLOC_MMAP_THRESHOLD_: OWN_PAGES,
  MALLOC_TRIM_THRESHOLD_: OWN_PAGES,
  ...own
})
