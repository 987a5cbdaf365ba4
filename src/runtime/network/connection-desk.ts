import type { Connection, Stream } from '@libp2p/interface'
import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { NetworkError } from '../ports/network.ts'
import {
  ADMISSION_PROTOCOL,
  type Credentials,
  grantAdmission,
  type Member,
  RefusedError,
  requestAdmission
} from './admission.ts'
import { ADMISSION_TIMEOUT, type AdmissionGate } from './admission-gate.ts'
import { PENDING_CONNECTIONS } from './create-host.ts'
import { CROWDED, WaitingPlaces } from './waiting-places.ts'

export interface ConnectionDeskParts {
  readonly gate: AdmissionGate
  readonly clock: Clock
  readonly credentials: Credentials
  /** How many times as long as usual everything takes here. */
  readonly lateness: () => number
  /** The connection's peer proved the key. Called before the peer hears of it. */
  readonly onMember: (connection: Connection, member: Member) => void
  /** `isFinal`: it need not come again as it is. */
  readonly onRefused: (peer: DeviceId, because: string, isFinal: boolean) => void
  /** A member says that another process has our identity, and stays. */
  readonly onTwin: (address: string) => void
}

/** Takes every new connection through admission, or closes it. */
export class ConnectionDesk {
  readonly #parts: ConnectionDeskParts
  /** Each with what ends the wait for it. */
  readonly #pending = new Map<Connection, AbortController>()
  readonly #places = new WaitingPlaces<Connection>(PENDING_CONNECTIONS)

  constructor(parts: ConnectionDeskParts) {
    this.#parts = parts
  }

  /** Of each connection, as soon as it is open. The one that dialled asks, the other waits to be asked. */
  onOpen(connection: Connection): void {
    const done = new AbortController()
    this.#pending.set(connection, done)
    if (connection.direction === 'inbound')
      this.#places.enter(connection, () => this.#fail(connection, new NetworkError(CROWDED)))
    connection.addEventListener('close', () => this.#fail(connection, new NetworkError('the connection closed')))
    void this.#watch(connection, done.signal)
    if (connection.direction === 'outbound') void this.#ask(connection)
  }

  /** A stream of the admission protocol that the other side opened. */
  async onStream(stream: Stream, connection: Connection): Promise<void> {
    const { credentials } = this.#parts
    if (!this.#pending.has(connection) || connection.direction === 'outbound') {
      stream.abort(new NetworkError('not now'))
      return
    }
    try {
      await grantAdmission(connection, stream, credentials, member => this.#admit(connection, member))
      await stream.close()
    } catch (error) {
      this.#fail(connection, error)
    }
  }

  async #ask(connection: Connection): Promise<void> {
    try {
      const stream = await connection.newStream([ADMISSION_PROTOCOL])
      this.#admit(connection, await requestAdmission(connection, stream, this.#parts.credentials))
      await stream.close()
    } catch (error) {
      const foreign = error instanceof Error && error.name === 'UnsupportedProtocolError'
      this.#fail(connection, foreign ? new RefusedError(`it does not speak ${ADMISSION_PROTOCOL}`, true) : error)
    }
  }

  async #watch(connection: Connection, signal: AbortSignal): Promise<void> {
    const { clock, lateness } = this.#parts
    const began = clock.now()
    const patience = (): Seconds => seconds(ADMISSION_TIMEOUT * lateness())
    while (clock.now() - began < patience()) {
      const isDecided = await clock.sleep(seconds(patience() - (clock.now() - began)), { signal }).then(
        () => false,
        () => true
      )
      if (isDecided) return
    }
    const because = `it did not prove the key of this cluster within ${Math.round(patience())} s`
    // Where the processor is scarce, it may have come too late.
    this.#fail(connection, new RefusedError(because, true, { isPassing: true }))
  }

  /** @returns false when that was decided already */
  #decide(connection: Connection): boolean {
    this.#places.leave(connection)
    this.#pending.get(connection)?.abort()
    return this.#pending.delete(connection)
  }

  #admit(connection: Connection, member: Member): void {
    if (!this.#decide(connection)) return
    this.#parts.onMember(connection, member)
    this.#parts.gate.admit(connection, member)
  }

  #fail(connection: Connection, cause: unknown): void {
    if (!this.#decide(connection)) return
    const error = cause instanceof Error ? cause : new NetworkError(String(cause))
    this.#parts.gate.refuse(connection, error)
    if (error instanceof RefusedError) {
      if (error.twin !== undefined) this.#parts.onTwin(error.twin)
      const because = error.byUs ? error.message : `it refused us: ${error.message}`
      this.#parts.onRefused(deviceId(connection.remotePeer.toString()), because, !error.isPassing)
    }
    void closeConnection(connection, this.#parts.clock)
  }
}

/** Politely, so that what was said last arrives; but not for long. */
export const closeConnection = async (connection: Connection, clock: Clock): Promise<void> => {
  const done = new AbortController()
  const late = clock.sleep(seconds(0.5), { signal: done.signal }).then(
    () => connection.abort(new NetworkError('it did not close in time')),
    () => {}
  )
  await Promise.race([connection.close().catch(() => connection.abort(new NetworkError('closed'))), late])
  done.abort()
}
