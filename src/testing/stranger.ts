import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { deviceId } from '../core/ids.ts'
import { ADMISSION_PROTOCOL, requestAdmission } from '../runtime/network/admission.ts'
import { AdmissionGate } from '../runtime/network/admission-gate.ts'
import type { ClusterKey } from '../runtime/network/cluster-key.ts'
import { createHost, type Host, stopHost } from '../runtime/network/create-host.ts'
import { createIdentity } from '../runtime/network/identity.ts'
import { ClusterRoll } from '../runtime/network/members/cluster-roll.ts'
import { tcpTransport } from '../runtime/network/tcp-transport.ts'
import { systemClock, wallTime } from '../runtime/system-clock.ts'

/** A libp2p peer that follows no rules but libp2p's: it opens what it likes and sends what it likes. */
export interface Stranger extends AsyncDisposable {
  readonly host: Host
  readonly gate: AdmissionGate
  dial(address: string): Promise<Connection>
  /** Prove a cluster key over the connection, as a member would. @throws RefusedError */
  admit(connection: Connection, key: ClusterKey): Promise<void>
}

export const openStranger = async (): Promise<Stranger> => {
  const gate = new AdmissionGate(systemClock)
  const host = await createHost({
    privateKey: await createIdentity(),
    listen: [],
    mdns: false,
    transports: [tcpTransport],
    gate,
    incarnation: 1n
  })
  await host.start()
  return {
    host,
    gate,
    dial: address => host.dial(multiaddr(address)),
    admit: async (connection, key) => {
      const stream = await connection.newStream([ADMISSION_PROTOCOL])
      const self = deviceId(host.peerId.toString())
      const roll = new ClusterRoll({ self, name: '', footing: { kind: 'holder', key }, wallTime })
      const member = await requestAdmission(connection, stream, { role: 'device', incarnation: 1n, roll })
      gate.admit(connection, member)
    },
    [Symbol.asyncDispose]: () => stopHost(host)
  }
}

/** Everything that comes in on a stream, and how it ended. */
export const drain = (stream: Stream): Promise<{ readonly bytes: number; readonly reset: boolean }> =>
  new Promise(resolve => {
    let bytes = 0
    stream.addEventListener('message', ({ data }) => {
      bytes += data.byteLength
    })
    stream.addEventListener('close', ({ error }) => resolve({ bytes, reset: error !== undefined }))
  })
