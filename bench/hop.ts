import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { generateCertificate } from '@libp2p/tls/utils'
import { createIdentity } from '../src/runtime/network/identity.ts'
import { bareHop, listenBare } from './bare-hop.ts'
import { judge } from './judge.ts'
import { median, quantile } from './median.ts'
import type { Certificate } from './peers/relay.ts'
import { openHopEnd } from './tributary-hop.ts'

// What a hop costs beside the link itself: encode, send on loopback, decode, dispatch, and the answer back, for one
// activation between two processes. Beside it the same bytes over bare TLS and plain TCP, without frames or names.
// `node dist/bench/hop.js [BYTES...]`

const SIZES = [1_000, 64_000, 800_000, 8_000_000]
/** Of bytes that are sent for each way, and at most so many rounds. */
const BYTES = 4e8
const ROUNDS = 600
/** As a device that has run for a minute: its code is compiled by then. Fewer rounds of more bytes. */
const WARM_UP = 1500
const WARM_UP_BYTES = 1e9
const BUDGET_MS = 3
/** Of what the bytes take over bare TLS; for the sizes that activations have. */
const BUDGET_OF_TLS = 1.3
const JUDGED = 64_000

interface Settings {
  readonly key: string
  readonly bytes: number
  readonly certificate: Certificate
}

interface Opening {
  readonly network: string
  readonly plain: number
  readonly secret: number
}

const receive = async (): Promise<void> => {
  const [{ key, bytes, certificate }] = (await once(process, 'message')) as [Settings]
  const end = await openHopEnd(Buffer.from(key, 'hex'), bytes)
  process.once('disconnect', async () => {
    await end.stop()
    process.exit()
  })
  const plain = await listenBare(bytes, undefined)
  const secret = await listenBare(bytes, certificate)
  process.send?.({ network: end.address, plain, secret } satisfies Opening)
}

const TRIBUTARY = 'tributary hop'
const TLS = 'bare TLS'

/** Milliseconds of each hop, one of each kind in turn. */
const timesOf = async (bytes: number): Promise<ReadonlyMap<string, readonly number[]>> => {
  const key = Buffer.alloc(32, 7)
  const certificate = await generateCertificate(await createIdentity())
  const receiver = fork(fileURLToPath(import.meta.url), ['receive'])
  receiver.send({ key: key.toString('hex'), bytes, certificate } satisfies Settings)
  const [{ network, plain, secret }] = (await once(receiver, 'message')) as [Opening]
  const end = await openHopEnd(key, bytes)
  const hops = {
    'plain TCP': await bareHop(plain, bytes, false),
    [TLS]: await bareHop(secret, bytes, true),
    [TRIBUTARY]: await end.join(network)
  }
  const times = new Map(Object.keys(hops).map(name => [name, [] as number[]]))
  const rounds = Math.min(ROUNDS, Math.ceil(BYTES / bytes))
  const warmUp = Math.min(WARM_UP, Math.ceil(WARM_UP_BYTES / bytes))
  for (let round = -warmUp; round < rounds; round++) {
    for (const [name, hop] of Object.entries(hops)) {
      const start = performance.now()
      await hop()
      if (round >= 0) times.get(name)!.push(performance.now() - start)
    }
  }
  await end.stop()
  receiver.disconnect()
  return times
}

const send = async (): Promise<void> => {
  const asked = process.argv.slice(2).map(Number)
  for (const bytes of asked.length > 0 ? asked : SIZES) {
    const times = await timesOf(bytes)
    const own = times.get(TRIBUTARY)!
    const ratios = own.map((time, round) => time / times.get(TLS)![round]!)
    const at = (samples: readonly number[], q: number): number => Number(quantile(samples, q).toFixed(2))
    const size = `${bytes / 1000} KB`
    console.log(`one hop of ${size} between two processes, answered; ${own.length} rounds, interleaved; ms`)
    console.table(
      [...times].map(([name, samples]) => ({
        ...{ name, median: at(samples, 0.5), p10: at(samples, 0.1), p90: at(samples, 0.9) },
        'of bare TLS': Number((median(samples) / median(times.get(TLS)!)).toFixed(2))
      }))
    )
    console.log(`round by round, of bare TLS: ${[0.25, 0.5, 0.75].map(q => at(ratios, q)).join(', ')} (quartiles)`)
    const ratio = median(own) / median(times.get(TLS)!)
    if (bytes >= JUDGED)
      process.stdout.write(
        judge(`a hop of ${size}`, `${ratio.toFixed(2)} of bare TLS`, ratio, { atMost: BUDGET_OF_TLS })
      )
    if (bytes === 800_000)
      process.stdout.write(judge('a hop of 800 KB', `${at(own, 0.5)} ms, median`, median(own), { atMost: BUDGET_MS }))
  }
  process.exit()
}

await (process.argv[2] === 'receive' ? receive() : send())
