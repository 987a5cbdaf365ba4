import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describeFileError } from '../../core/describe-file-error.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { UserError } from '../../core/user-error.ts'
import { writeSecret } from './write-secret.ts'

/** A device's private key: its peer id, by which the others know it, is derived from it. */
export type Identity = PrivateKey

/** A key that is kept nowhere, for a process that only asks. */
export const createIdentity = (): Promise<Identity> => generateKeyPair('Ed25519')

const fileIn = (stateDir: string): string => join(stateDir, 'identity.key')

/** The key in `stateDir`/identity.key, where there is one. @throws UserError when the file cannot be read, or is not a key */
export const readIdentity = async (stateDir: string): Promise<Identity | undefined> => {
  const file = fileIn(stateDir)
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new UserError(`cannot read the identity ${file}: ${describeFileError(error)}`)
  }
  try {
    return privateKeyFromProtobuf(bytes)
  } catch (error) {
    throw new UserError(`${file} is not a private key; remove it to become a new device`, { cause: error })
  }
}

/**
 * The key in `stateDir`/identity.key, made on first use: a restarted device keeps its id.
 * @throws UserError when the file cannot be read, written, or is not a key
 */
export const loadOrCreateIdentity = async (stateDir: string): Promise<Identity> => {
  const file = fileIn(stateDir)
  const known = await readIdentity(stateDir)
  if (known !== undefined) return known
  const fresh = await createIdentity()
  try {
    if (await writeSecret(file, privateKeyToProtobuf(fresh))) return fresh
  } catch (error) {
    throw new UserError(
      `cannot write the identity ${file}: ${describeFileError(error)}; choose a state folder that can be written`
    )
  }
  return (await readIdentity(stateDir)) ?? fresh // another process was first
}

/** By which the others know the device. */
export const peerIdOf = (identity: Identity): DeviceId => deviceId(peerIdFromPrivateKey(identity).toString())
