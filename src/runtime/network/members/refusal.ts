import type { MemberRecords } from '../../generated/tributary/v1/wire_pb.ts'

/** Why somebody is not let in: the word that goes over the wire, and what each side says of it. */
export const REFUSALS = {
  otherCluster: {
    told: "it belongs to another cluster: this device's key is not its key; to join that cluster, use its invite",
    said: 'it came with the key of another cluster'
  },
  malformed: { told: 'what this device showed cannot be read there', said: 'what it showed cannot be read' },
  removed: { told: 'this device was removed from the cluster', said: 'it was removed from the cluster' },
  rotated: {
    told: "the cluster's key was changed, and this device is not among those that stay: it needs a new invite",
    said: "it came with the cluster's former key and is not among those that stay"
  },
  oldInvite: {
    told: "the invite is older than the cluster's key: ask for another",
    said: "it came with an invite that is older than the cluster's key"
  },
  expired: { told: 'the invite has expired: ask for another', said: 'it came with an invite that has expired' },
  used: {
    told: 'the invite was good once, and another device has used it: ask for another',
    said: 'it came with an invite that was good once and is used'
  },
  revoked: {
    told: 'the invite is from before the removal of a member that had it or this name: ask for another',
    said: 'it came with an invite from before the removal of a member that had it or its name'
  },
  otherName: {
    told: 'the invite is for a device of another name',
    said: 'it came with an invite for another name'
  },
  forDevices: {
    told: 'the invite lets one device join, and nobody look or ask: use an invite without a name that is good many times',
    said: 'it came to ask, with an invite for one device'
  },
  notYet: { told: 'it has not been admitted itself yet', said: 'it came before this device was admitted itself' },
  noHolder: {
    told: 'nobody who may admit can be reached from it now',
    said: 'it came with an invite, and nobody who may admit can be reached'
  },
  crowded: {
    told: 'too many that look or ask have come there by the same member or invite: end some of them, or ask at another device',
    said: 'it came to look or ask, and too many have come by the same member or invite'
  },
  full: {
    told: 'its cluster takes no more members: one has to be removed there first',
    said: 'the cluster takes no more members'
  }
} as const

export type Reason = keyof typeof REFUSALS

/** Another time it may be otherwise. */
const PASSING: ReadonlySet<Reason> = new Set(['notYet', 'noHolder', 'crowded'])

/** Wherever it asked, the answer would be the same: of the cluster, by what its key has signed. */
const OF_CLUSTER: ReadonlySet<Reason> = new Set([
  'removed',
  'rotated',
  'oldInvite',
  'expired',
  'used',
  'revoked',
  'otherName',
  'forDevices',
  'full'
])

export const isReason = (text: string): text is Reason => Object.hasOwn(REFUSALS, text)

/** Not let in. `proof` shows it to who is refused. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: Reason
  readonly proof: MemberRecords | undefined

  constructor(reason: Reason, proof?: MemberRecords) {
    super(REFUSALS[reason].said)
    this.reason = reason
    this.proof = proof
  }
}

export const isPassing = (reason: Reason): boolean => PASSING.has(reason)

export const isOfCluster = (reason: Reason): boolean => OF_CLUSTER.has(reason)
