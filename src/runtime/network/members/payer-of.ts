import type { Member } from '../admission.ts'

/** On whose budgets it is what a member says: identities of those who only look or ask are made as often as anybody likes. */
export const payerOf = ({ peer, role, vouchedBy, ticket }: Member): string => {
  if (role === 'device') return peer
  if (vouchedBy !== undefined) return `guests of ${vouchedBy}`
  return ticket === undefined ? peer : `guests by the invite ${ticket.slice(0, 12)}`
}
