import { cpus } from 'node:os'

const read = (): { readonly busy: number; readonly all: number } => {
  let [busy, all] = [0, 0]
  for (const { times } of cpus()) {
    const { idle, ...work } = times
    const used = Object.values(work).reduce((sum, time) => sum + time, 0)
    busy += used
    all += used + idle
  }
  return { busy, all }
}

/** Of this machine from now on. @returns tells which share of its processor time was used since, by whomever, 0 to 1 */
export const busyShare = (): (() => number) => {
  const before = read()
  return () => {
    const now = read()
    return (now.busy - before.busy) / Math.max(1, now.all - before.all)
  }
}
