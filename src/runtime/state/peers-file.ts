import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { isAddress } from '../network/parse-address.ts'
import { isPeerId } from '../network/peer-id.ts'
import type { StateFolder } from './state-folder.ts'
import { writePrivate } from './write-private.ts'

/** Another device of the cluster, and where it was. */
export interface KnownPeer {
  readonly id: DeviceId
  /** Empty where it has not said. */
  readonly name: string
  readonly addresses: readonly string[]
}

/** Devices, and addresses of one, that are kept. */
export const MAX_PEERS = 64
export const MAX_PEER_ADDRESSES = 16
/** No more is read: a full file has some 90 KB. */
const MAX_BYTES = 1 << 20
/** Names and addresses come one after the other when devices meet; a card does not want to be written for each. */
const SETTLING: Seconds = seconds(2)

const peerSchema = z.object({
  id: z.string().max(128).refine(isPeerId).transform(deviceId),
  name: z.string().max(63).catch(''),
  addresses: z.array(z.unknown()).transform(texts => texts.filter(isAddress).slice(0, MAX_PEER_ADDRESSES))
})
const fileSchema = z.object({ peers: z.array(z.unknown()) })

const fileOf = (folder: StateFolder): string => join(folder.path, 'peers.json')

/**
 * Devices of earlier runs, the latest first. Entries that are not what they should be are left out; a file that is not
 * one is said, and as good as none.
 */
export const readPeers = async (
  folder: StateFolder,
  say: (text: string, level?: 'warn') => void
): Promise<readonly KnownPeer[]> => {
  const file = fileOf(folder)
  const text = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') say(`${file}: ${describeFileError(error)}; goes on without it`, 'warn')
    return undefined
  })
  if (text === undefined) return []
  try {
    if (text.length > MAX_BYTES) throw new Error('too large')
    const { peers } = fileSchema.parse(JSON.parse(text.toString('utf8')))
    const read = peers.slice(0, 4 * MAX_PEERS).flatMap(entry => {
      const { data } = peerSchema.safeParse(entry)
      return data === undefined || data.addresses.length === 0 ? [] : [data]
    })
    return [...new Map(read.map(peer => [peer.id, peer])).values()].slice(0, MAX_PEERS)
  } catch {
    say(`${file} is damaged; goes on without it`, 'warn')
    return []
  }
}

export interface PeersFileParts {
  readonly folder: StateFolder
  readonly clock: Clock
  /** As they are now, the latest first. */
  readonly peers: () => readonly KnownPeer[]
  readonly say: (text: string, level?: 'warn') => void
}

/** Keeps what a device knows of the others on its disk, so that a cluster that was switched off finds together again. */
export class PeersFile implements AsyncDisposable {
  readonly #parts: PeersFileParts
  readonly #over = new AbortController()
  #written: string | undefined
  #saving: Promise<void> | undefined

  constructor(parts: PeersFileParts) {
    this.#parts = parts
  }

  /** There is news. */
  changed(): void {
    if (this.#over.signal.aborted) return
    this.#saving ??= this.#parts.clock
      .sleep(SETTLING, { signal: this.#over.signal })
      .then(
        () => this.#save(),
        () => {}
      )
      .finally(() => {
        this.#saving = undefined
      })
  }

  /** Writes what is left to write. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    await this.#saving
    await this.#save()
  }

  async #save(): Promise<void> {
    const { folder, peers, say } = this.#parts
    const kept = peers()
      .filter(({ addresses }) => addresses.length > 0)
      .slice(0, MAX_PEERS)
      .map(({ id, name, addresses }) => ({ id, name, addresses: addresses.slice(0, MAX_PEER_ADDRESSES) }))
    const text = JSON.stringify({ peers: kept })
    if (kept.length === 0 || text === this.#written) return
    try {
      await writePrivate(fileOf(folder), text)
      this.#written = text
    } catch (error) {
      say(`${fileOf(folder)}: ${describeFileError(error)}; the other devices' addresses are not kept`, 'warn')
    }
  }
}
