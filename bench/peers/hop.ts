import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { generateCertificate } from '@libp2p/tls/utils'
import { createIdentity } from '../../src/runtime/network/identity.ts'
import { bareHop, listenBare } from '../bare-hop.ts'
import { median, quantile } from '../median.ts'
import { openHopEnd } from '../tributary-hop.ts'
import { type Certificate, Relay, type RelayOptions } from './relay.ts'

// `node dist/bench/peers/hop.js [BYTES...]`

const SIZES = [1_000, 64_000, 800_000, 8_000_000]
/** Of bytes that are sent for each way, and at most so many rounds. */
const BYTES = 3.2e8
const ROUNDS = 400
/** As a device that has run for a minute: its code is compiled by then. Fewer rounds of more bytes. */
const WARM_UP = 1500
const WARM_UP_BYTES = 8e8
const BARE = 'bare TLS'
const TRIBUTARY = 'tributary (TLS)'

type Variant = Pick<RelayOptions, 'direction'> & { readonly isSecret: boolean }

/** The first is the one that is written first; the others are what can be got out of it. */
const VARIANTS: Readonly<Record<string, Variant>> = {
  'gRPC (TLS)': { direction: 'push', isSecret: true },
  'gRPC (TLS), wide window': { direction: 'pull', isSecret: true },
  'gRPC (plain)': { direction: 'push', isSecret: false },
  'gRPC (plain), wide window': { direction: 'pull', isSecret: false }
}

interface Settings {
  readonly key: string
  readonly bytes: number
  readonly certificate: Certificate
}

/** How to reach one process: Tributary's address, and the port of each relay. */
interface Ends {
  readonly address: string
  readonly ports: readonly number[]
  readonly bare: number
}

interface Opened extends Ends {
  readonly relays: readonly Relay[]
  readonly end: Awaited<ReturnType<typeof openHopEnd>>
}

const openEnds = async (
  self: number,
  { key, bytes, certificate }: Settings,
  onReceipt: () => void
): Promise<Opened> => {
  const end = await openHopEnd(Buffer.from(key, 'hex'), bytes)
  const relays = await Promise.all(
    Object.values(VARIANTS).map(({ direction, isSecret }) =>
      Relay.start({
        self,
        direction,
        certificate: isSecret ? certificate : undefined,
        onActivation: () => {},
        onReceipt
      })
    )
  )
  const bare = await listenBare(bytes, certificate)
  return { end, relays, bare, address: end.address, ports: relays.map(({ port }) => port) }
}

/** The receiving process. */
const receive = async (): Promise<void> => {
  const [settings] = (await once(process, 'message')) as [Settings]
  const { address, ports, bare, relays } = await openEnds(1, settings, () => {})
  process.send!({ address, ports, bare } satisfies Ends)
  const [sender] = (await once(process, 'message')) as [Ends]
  process.once('disconnect', () => process.exit())
  await Promise.all(relays.map((relay, n) => relay.connect(new Map([[0, sender.ports[n]!]]))))
}

const send = async (bytes: number): Promise<void> => {
  const settings: Settings = {
    bytes,
    key: Buffer.alloc(32, 7).toString('hex'),
    certificate: await generateCertificate(await createIdentity())
  }
  const receiver = fork(fileURLToPath(import.meta.url), ['receive'])
  receiver.send(settings)
  const [remote] = (await once(receiver, 'message')) as [Ends]
  let answered = (): void => {}
  const { end, address, ports, bare, relays } = await openEnds(0, settings, () => answered())
  receiver.send({ address, ports, bare } satisfies Ends)
  await Promise.all(relays.map((relay, n) => relay.connect(new Map([[1, remote.ports[n]!]]))))
  const tensors = [{ name: 'x', type: 'float32', dims: [bytes / 4], data: new Uint8Array(bytes) }] as const
  const grpcHop = (relay: Relay) => async (): Promise<void> => {
    const receipt = new Promise<void>(resolve => {
      answered = resolve
    })
    await relay.send(1, { source: 0, datum: 1, route: 0, step: 1, tensors })
    await receipt
  }
  const hops: Record<string, () => Promise<void>> = {
    [BARE]: await bareHop(remote.bare, bytes, true),
    [TRIBUTARY]: await end.join(remote.address),
    ...Object.fromEntries(Object.keys(VARIANTS).map((name, n) => [name, grpcHop(relays[n]!)]))
  }
  report(bytes, await measure(bytes, hops))
  await end.stop()
  for (const relay of relays) relay.stop()
  receiver.disconnect()
}

/** Milliseconds of each hop, one of each kind in turn. */
const measure = async (
  bytes: number,
  hops: Readonly<Record<string, () => Promise<void>>>
): Promise<ReadonlyMap<string, number[]>> => {
  const rounds = Math.min(ROUNDS, Math.ceil(BYTES / bytes))
  const times = new Map(Object.keys(hops).map(name => [name, [] as number[]]))
  const warmUp = Math.min(WARM_UP, Math.ceil(WARM_UP_BYTES / bytes))
  for (let round = -warmUp; round < rounds; round++) {
    for (const [name, hop] of Object.entries(hops)) {
      const start = performance.now()
      await hop()
      if (round >= 0) times.get(name)!.push(performance.now() - start)
    }
  }
  return times
}

const report = (bytes: number, times: ReadonlyMap<string, readonly number[]>): void => {
  process.stdout.write(
    `one hop of ${bytes / 1000} KB between two processes, answered; ${times.get(BARE)!.length} rounds, interleaved; ms\n`
  )
  const own = times.get(TRIBUTARY)!
  console.table(
    [...times].map(([name, samples]) => ({
      name,
      median: Number(median(samples).toFixed(2)),
      p10: Number(quantile(samples, 0.1).toFixed(2)),
      p90: Number(quantile(samples, 0.9).toFixed(2)),
      'of tributary': Number((median(samples) / median(own)).toFixed(2))
    }))
  )
}

const sendAll = async (): Promise<void> => {
  const asked = process.argv.slice(2).map(Number)
  for (const bytes of asked.length > 0 ? asked : SIZES) await send(bytes)
  process.exit()
}

await (process.argv[2] === 'receive' ? receive() : sendAll())
