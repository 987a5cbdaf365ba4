import { PING_EVERY } from '../../cluster/rhythm.ts'
import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Role } from '../ports/network.ts'
import { isPingDue } from './is-ping-due.ts'
import type { Liveness } from './liveness.ts'
import { watchedPeers } from './watched-peers.ts'

/** A peer, as far as it is watched. */
export interface WatchedPeer {
  readonly role: Role
  readonly lastPing: Seconds
  /** When a frame last passed, either way. */
  lastFrame(now: Seconds): Seconds
  ping(): void
  /** Tell it that another device is not heard here. */
  sayDoubt(device: DeviceId): void
}

export interface PeerWatchParts {
  readonly self: DeviceId
  readonly clock: Clock
  readonly guard: JobGuard
  readonly liveness: Liveness
  readonly peers: ReadonlyMap<DeviceId, WatchedPeer>
}

/** One that is watched and silent for so long is doubted. */
const DOUBTED_AFTER: Seconds = seconds(1.5)

/**
 * Who is asked whether it is there. A device watches a few others, and asks each after a second of silence; the rest it asks the more
 * seldom the more they are, so that what it sends does not grow with their number. One that a watcher does not hear is asked by all the
 * others as well, who thus miss it as soon (after SWIM, Das et al. 2002, where the word of others counts; here each hears for itself).
 */
export class PeerWatch {
  readonly #parts: PeerWatchParts
  /** Found anew where it is undefined. */
  #ring: ReadonlySet<DeviceId> | undefined
  /** Those of whose silence the others were told. */
  readonly #doubted = new Set<DeviceId>()

  constructor(parts: PeerWatchParts) {
    this.#parts = parts
  }

  /** A peer has come, is gone, or is silent or back. */
  changed(): void {
    this.#ring = undefined
    for (const device of this.#doubted) if (!this.#parts.peers.has(device)) this.#doubted.delete(device)
  }

  /** Before it is looked who is silent. */
  spareUnasked(): void {
    const { clock, liveness, peers } = this.#parts
    for (const [peer, { lastPing }] of peers) {
      const isAsked = liveness.silence(peer) > clock.now() - lastPing
      if (!isAsked && !this.#watches(peer)) liveness.spare(peer)
    }
  }

  /** After it was looked who is silent. */
  ask(): void {
    const { clock, guard, liveness, peers } = this.#parts
    const now = clock.now()
    for (const [peer, watched] of peers) {
      const quiet = {
        sinceFrame: seconds(now - watched.lastFrame(now)),
        silence: liveness.silence(peer),
        sinceAsked: seconds(now - watched.lastPing),
        isWatched: this.#watches(peer)
      }
      if (isPingDue(quiet, peers.size)) guard.run('asking who is there', () => watched.ping())
      if (quiet.isWatched) guard.run('doubting who is silent', () => this.#doubt(peer, quiet.silence))
    }
  }

  /** A peer does not hear that device, which it watches. */
  onDoubt(device: DeviceId): void {
    const { clock, peers } = this.#parts
    const doubted = peers.get(device)
    if (doubted === undefined || this.#watches(device)) return
    if (clock.now() - doubted.lastPing >= PING_EVERY) doubted.ping()
  }

  /** Who only looks on has no other peers. */
  #watches(peer: DeviceId): boolean {
    const { liveness, peers, self } = this.#parts
    const isThere = ([id, { role }]: [DeviceId, WatchedPeer]): boolean => role === 'device' && !liveness.isSilent(id)
    this.#ring ??= watchedPeers(
      self,
      [...peers].filter(isThere).map(([id]) => id)
    )
    return this.#ring.has(peer) || peers.get(peer)?.role === 'observer'
  }

  /** Once in each silence. */
  #doubt(device: DeviceId, silence: Seconds): void {
    const { liveness, peers } = this.#parts
    if (silence < DOUBTED_AFTER * liveness.lateness) this.#doubted.delete(device)
    else if (!this.#doubted.has(device) && peers.size > this.#ring!.size) {
      this.#doubted.add(device)
      for (const [id, peer] of peers) if (id !== device) peer.sayDoubt(device)
    }
  }
}
