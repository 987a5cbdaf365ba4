import type { PolicyReport } from '../generated/tributary/v1/wire_pb.ts'

/** What one report may hold: more than what there is of it in the largest cluster. */
export const REPORT_LIMITS = { commitments: 8192, received: 2048, queues: 8192, paces: 1024 } as const

/** @returns why a report of another device is not heard, in words; undefined where it may be */
export const reportFault = (report: PolicyReport): string | undefined => {
  for (const [what, most] of Object.entries(REPORT_LIMITS)) {
    const { length } = report[what as keyof typeof REPORT_LIMITS]
    if (length > most) return `it has ${length} ${what}, at most ${most} are allowed`
  }
  return undefined
}
