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
  /** It has been sent what it has not answered. */
  readonly isOwed: boolean
  /** When a frame last passed, either way. */
  lastFrame(now: Seconds): Seconds
  /** Ask it, and say whether it is watched here. */
  ping(watches: boolean): void
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
/** Who is silent now and then is doubted no more often, unless it is silent for longer. */
const DOUBT_AGAIN: Seconds = seconds(10)
const SURELY_DOUBTED_AFTER: Seconds = seconds(2.25)

/**
 * Who is asked whether it is there. A device watches a few others, and asks each after a second of silence; the rest it asks the more
 * seldom the more they are, so that what it sends does not grow with their number. One that a watcher does not hear is asked by all the
 * others as well, who thus miss it as soon (after SWIM, Das et al. 2002, where the word of others counts; here each hears for itself).
 * Who does not hear half of those whom it watches may be the one that is cut off, with nobody to tell it: it asks all.
 */
export class PeerWatch {
  readonly #parts: PeerWatchParts
  /** Found anew where it is undefined. */
  #ring: ReadonlySet<DeviceId> | undefined
  /** Those that are watched and silent, as long as they are. */
  readonly #doubted = new Set<DeviceId>()
  /** When the others were last told so of one. */
  readonly #toldAt = new Map<DeviceId, Seconds>()
  /** Those that say that they watch this device. */
  readonly #watchers = new Set<DeviceId>()
  /** Those that another one does not hear, since it said so and until they are heard. */
  readonly #owed = new Map<DeviceId, Seconds>()

  constructor(parts: PeerWatchParts) {
    this.#parts = parts
  }

  /** A peer has come, is gone, or is silent or back. */
  changed(): void {
    this.#ring = undefined
    for (const known of [this.#doubted, this.#toldAt, this.#watchers, this.#owed])
      for (const device of known.keys()) if (!this.#parts.peers.has(device)) known.delete(device)
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
    const ours = [...peers.keys()].filter(peer => this.#watches(peer))
    const isCutOff = this.#mayBeCutOff(ours)
    for (const [peer, watched] of peers) {
      const silence = liveness.silence(peer)
      const quiet = {
        sinceFrame: seconds(now - watched.lastFrame(now)),
        sinceAsked: seconds(now - watched.lastPing),
        isWatched: isCutOff || this.#watches(peer) || this.#isDoubted(peer, silence, now),
        isOwed: watched.isOwed,
        silence
      }
      if (isPingDue(quiet, peers.size)) guard.run('asking who is there', () => watched.ping(this.#isInRing(peer)))
    }
    // After all questions, which are not asked while other words wait.
    for (const peer of ours) guard.run('doubting who is silent', () => this.#doubt(peer, now))
  }

  /** Of two that know of different others each may have the other in its ring alone: both watch. */
  onAsked(peer: DeviceId, watches: boolean): void {
    if (watches) this.#watchers.add(peer)
    else this.#watchers.delete(peer)
  }

  /** A peer does not hear that device, which it watches. */
  onDoubt(device: DeviceId): void {
    const { clock, peers } = this.#parts
    const doubted = peers.get(device)
    if (doubted === undefined || this.#watches(device)) return
    this.#owed.set(device, clock.now())
    if (clock.now() - doubted.lastPing >= PING_EVERY) doubted.ping(false)
  }

  /** And it was not heard since. */
  #isDoubted(peer: DeviceId, silence: Seconds, now: Seconds): boolean {
    const since = this.#owed.get(peer)
    if (since === undefined || silence >= now - since) return since !== undefined
    this.#owed.delete(peer)
    return false
  }

  #mayBeCutOff(watched: readonly DeviceId[]): boolean {
    const unheard = watched.filter(peer => this.#doubted.has(peer)).length
    return unheard > 0 && 2 * unheard >= watched.length
  }

  /** Who only looks on has no other peers. */
  #watches(peer: DeviceId): boolean {
    return this.#isInRing(peer) || this.#watchers.has(peer) || this.#parts.peers.get(peer)?.role === 'observer'
  }

  #isInRing(peer: DeviceId): boolean {
    const { liveness, peers, self } = this.#parts
    const isThere = ([id, { role }]: [DeviceId, WatchedPeer]): boolean => role === 'device' && !liveness.isSilent(id)
    this.#ring ??= watchedPeers(
      self,
      [...peers].filter(isThere).map(([id]) => id)
    )
    return this.#ring.has(peer)
  }

  /** Told once in each silence. */
  #doubt(device: DeviceId, now: Seconds): void {
    const { liveness, peers } = this.#parts
    const silence = liveness.silence(device)
    if (silence < DOUBTED_AFTER * liveness.lateness) {
      this.#doubted.delete(device)
      return
    }
    this.#doubted.add(device)
    const since = now - (this.#toldAt.get(device) ?? Number.NEGATIVE_INFINITY)
    const isDue = since >= DOUBT_AGAIN || (silence >= SURELY_DOUBTED_AFTER * liveness.lateness && since > silence)
    if (!isDue || peers.size <= this.#ring!.size) return
    this.#toldAt.set(device, now)
    for (const [id, peer] of peers) if (id !== device) peer.sayDoubt(device)
  }
}
