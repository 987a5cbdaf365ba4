/** How many data of a source may be under way at once; auto: as few as keep its throughput, as the source finds out. */
export type Window = number | 'auto'

/** What a source finds out is no more than this. */
export const LARGEST_AUTO = 1024

/** The most that can ever be under way at once. */
export const mostUnderWay = (window: Window): number => (window === 'auto' ? LARGEST_AUTO : window)
