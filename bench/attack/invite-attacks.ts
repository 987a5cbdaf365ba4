import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { create } from '@bufbuild/protobuf'
import { seconds } from '../../src/core/units.ts'
import { ReplySchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import { createIdentity, type Identity, peerIdOf } from '../../src/runtime/network/identity.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import { type MemberNetwork, memberNetwork } from '../../src/testing/member-network.ts'
import { MAIN } from '../../src/testing/node-process.ts'
import type { Attack, Stage } from './attack.ts'

// What becomes of invites that are used up, late, for others, of a removed device, or of a former key.

/** Whoever is not in by then is kept out. */
const LATEST = 5

const tributary = async (...words: readonly string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...words])
  return stdout.trim()
}

/** @returns whether somebody lets it in, with the member, which goes on trying */
const comes = async (stage: Stage, invite: string, identity: Identity): Promise<boolean> => {
  stage.count()
  const member: MemberNetwork = await memberNetwork(invite, join(stage.folder, 'blocks'), { identity })
  const { network } = member
  await network.start({
    onTask: () => ({ kind: 'refused', because: 'no' }),
    onRequest: async () => create(ReplySchema),
    onNotice: () => {},
    onState: () => {},
    onPeer: () => {}
  })
  member.join()
  const since = systemClock.now()
  while (network.peers().size === 0 && systemClock.now() - since < LATEST) await systemClock.sleep(seconds(0.05))
  const isIn = network.peers().size > 0
  await network.stop()
  return isIn
}

/** @returns what is wrong */
const tryAll = async (stage: Stage): Promise<string[]> => {
  const faults: string[] = []
  const { cluster } = stage
  const state = ['--state', join(cluster.home, 'cam')]
  const invited = (...terms: readonly string[]) => tributary('invite', ...state, ...terms)
  const [first, second, third] = [await createIdentity(), await createIdentity(), await createIdentity()]
  const expect = async (isIn: boolean, what: string, invite: string, identity: Identity): Promise<void> => {
    if ((await comes(stage, invite, identity)) !== isIn) faults.push(`${what}: ${isIn ? 'it is kept out' : 'it is in'}`)
  }
  const [once, short, named, many] = await Promise.all([
    ...[invited('--once'), invited('--expires', '1s'), invited('--for', 'somebody-else'), invited()]
  ])
  await expect(true, 'an invite that is good once', once!, first)
  await expect(false, 'the same, used twice', once!, second)
  await expect(false, 'an invite that has expired', short!, second)
  await expect(false, "an invite of another's name", named!, second)
  await expect(false, 'an invite that was changed on its way', flipped(many!), second)
  await expect(true, 'an invite for any', many!, third)
  await tributary('member', 'remove', peerIdOf(third), ...state).catch(error =>
    faults.push(`removal: ${String((error as { stderr?: string }).stderr ?? error)}`)
  )
  await expect(false, 'a removed device', many!, third)
  await tributary('key', 'rotate', ...state)
  await expect(false, 'an open invite of the former key', cluster.invite, second)
  await expect(false, 'a ticket of the former key', many!, second)
  return faults
}

/** Within the signed part. */
const flipped = (invite: string): string => `${invite.slice(0, 80)}${invite[80] === 'A' ? 'B' : 'A'}${invite.slice(81)}`

export const invites = (): Attack => {
  let faults: readonly string[] = []
  return {
    name: 'invites and keys',
    what: "invites are used twice, late, by another's name, changed, after a removal, and after the key was changed",
    ...{ once: 'whoever has the invite is in for ever', unit: 'attempts', isLast: true },
    play: async stage => {
      faults = await tryAll(stage)
    },
    fault: () => (faults.length === 0 ? undefined : faults.join('; '))
  }
}
