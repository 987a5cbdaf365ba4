/** A processor's core has this many threads of blocks at most: more only wait for each other, and each lane has its copy of the blocks. */
const EACH_CORE = 8

/** Why a device that is what it says has no use for so many, or undefined. @param cores of its processor */
export const laneLimit = (lanes: number, threads: number, cores: number): string | undefined => {
  const most = EACH_CORE * cores
  if (lanes * threads <= most) return undefined
  const are = lanes > 1 && threads > 1 ? `are ${lanes * threads} threads, and at most` : 'is too much: at most'
  return `${are} ${most} run here, ${EACH_CORE} on each of the processor's ${cores} cores`
}
