/** At most so many tries: each is a whole run. */
const MOST_TRIES = 60

/**
 * As few faults as still break a law: halves, then fewer, then one by one are left out for as long as it fails without them
 * (Zeller and Hildebrandt's ddmin, without its complements).
 */
export const shrinkFaults = async <T>(
  all: readonly T[],
  stillFails: (fewer: readonly T[]) => Promise<boolean>
): Promise<{ readonly faults: readonly T[]; readonly tries: number }> => {
  let faults = all
  let tries = 0
  for (let size = Math.ceil(all.length / 2); size >= 1 && tries < MOST_TRIES; ) {
    let hasShrunk = false
    for (let at = 0; at < faults.length && tries < MOST_TRIES; ) {
      const fewer = [...faults.slice(0, at), ...faults.slice(at + size)]
      tries++
      if (await stillFails(fewer)) {
        faults = fewer
        hasShrunk = true
      } else at += size
    }
    if (size === 1 && !hasShrunk) break
    size = size === 1 ? 1 : Math.ceil(size / 2)
    if (faults.length === 0) break
  }
  return { faults, tries }
}
