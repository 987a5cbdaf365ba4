import type { AdmissionTerms } from '../core/admission-terms.ts'

/** How many results came after their deadline; nothing where there is none. */
export const lateness = ({ deadline }: AdmissionTerms, times: readonly number[]): { readonly late?: number } =>
  deadline === Number.POSITIVE_INFINITY ? {} : { late: times.filter(time => time > deadline).length }
