import { create } from '@bufbuild/protobuf'
import { VouchedSchema } from '../runtime/generated/tributary/v1/wire_pb.ts'
import { type Identity, loadOrCreateIdentity, peerIdOf } from '../runtime/network/identity.ts'
import type { Footing } from '../runtime/network/members/cluster-roll.ts'
import { signPass } from '../runtime/network/members/pass.ts'
import { readMembers } from '../runtime/state/members-file.ts'
import type { StateFolder } from '../runtime/state/state-folder.ts'
import { findSecret } from './cluster-secret.ts'

/** A device on this machine, whose user may read its secrets. */
export interface DeviceHere {
  readonly folder: StateFolder
  /** Of the cluster's key: it need not be in the state folder. */
  readonly keyFile: string
}

/** How a process belongs to the cluster that looks or asks: by the key where the device here has it, else by its word. */
export const footingHere = async (
  { folder, keyFile }: DeviceHere,
  identity: Identity,
  say: (text: string, level?: 'warn') => void
): Promise<Footing | undefined> => {
  const { footing } = await findSecret([], keyFile === folder.keyFile ? undefined : keyFile, folder, say)
  if (footing?.kind === 'holder') return footing
  const kept = await readMembers(folder)
  if (kept?.certificate === undefined) return undefined
  const { cluster, certificate } = kept
  const member = await loadOrCreateIdentity(folder.path)
  const pass = await signPass(cluster, peerIdOf(identity), peerIdOf(member), member)
  return { kind: 'vouched', cluster, vouched: create(VouchedSchema, { certificate, pass }) }
}
