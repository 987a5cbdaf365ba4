interface Budget {
  readonly atMost?: number
  readonly atLeast?: number
}

/**
 * A measure against its budget (DESIGN section 10). A bench that misses one goes on and prints all, and ends with exit
 * code 1. @returns `what measured; budget …`, a line for people, with OUTSIDE where it is missed
 */
export const judge = (what: string, measured: string, value: number, { atMost, atLeast }: Budget): string => {
  const isMet = value <= (atMost ?? Number.POSITIVE_INFINITY) && value >= (atLeast ?? Number.NEGATIVE_INFINITY)
  if (!isMet) process.exitCode = 1
  const limit = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`
  return `${what} ${measured}; budget ${limit}${isMet ? '' : ': OUTSIDE'}\n`
}
