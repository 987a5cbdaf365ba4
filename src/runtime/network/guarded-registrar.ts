import type { Connection, PeerId, Stream, StreamHandler, Topology } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { DeviceId } from '../../core/ids.ts'
import type { AdmissionGate } from './admission-gate.ts'

/** A stream of a member is let in. */
type LetIn = (stream: Stream, peer: DeviceId) => void

/**
 * What a libp2p service that is not ours (identify, ping, GossipSub) gets to see of the network: streams and peers
 * reach it only once they are admitted. (libp2p's own middleware cannot be used for this: in 3.3 the list of a
 * protocol grows by its handler with every stream that comes in.)
 */
export const guardRegistrar = (registrar: Registrar, gate: AdmissionGate, letIn?: LetIn): Registrar => {
  const guardHandler =
    (handler: StreamHandler): StreamHandler =>
    async (stream, connection) => {
      const { peer } = await gate.hold(stream, connection)
      letIn?.(stream, peer)
      await handler(stream, connection)
    }
  const guardTopology = (topology: Topology): Topology => ({
    ...topology,
    onConnect: (peer: PeerId, connection: Connection) => {
      // Not awaited: libp2p tells the topologies of one peer in turn, and identify comes again after admission.
      void gate.verdict(connection).then(
        () => topology.onConnect?.(peer, connection),
        () => {}
      )
    },
    onDisconnect: peer => topology.onDisconnect?.(peer)
  })
  const overrides: Partial<Registrar> = {
    handle: (protocol, handler, options) => registrar.handle(protocol, guardHandler(handler), options),
    register: (protocol, topology) => {
      gate.topologies.add(topology)
      return registrar.register(protocol, guardTopology(topology))
    }
  }
  return new Proxy(registrar, {
    get: (target, name) => {
      const value = Reflect.get(Object.hasOwn(overrides, name) ? overrides : target, name)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** A libp2p service factory whose components hold the guarded registrar. */
export const guardService =
  <C extends { readonly registrar: Registrar }, S>(create: (components: C) => S, gate: AdmissionGate, letIn?: LetIn) =>
  (components: C): S => {
    const registrar = guardRegistrar(components.registrar, gate, letIn)
    return create(
      new Proxy(components, { get: (target, name) => (name === 'registrar' ? registrar : Reflect.get(target, name)) })
    )
  }
