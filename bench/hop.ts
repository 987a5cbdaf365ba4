import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { judge } from './judge.ts'
import { openHopEnd } from './tributary-hop.ts'

// What a hop costs beside the link itself: encode, send on loopback, decode, dispatch, and the answer back, for one
// activation between two processes. Beside it the same bytes over plain TCP, without encryption, frames or names.

const PAYLOAD = 800_000
const ROUNDS = 600
const WARM_UP = 200
const BUDGET_MS = 3

interface Opening {
  readonly network: string
  readonly plain: number
}

/** Answers every PAYLOAD bytes with one. */
const onPlainConnection = (socket: Socket): void => {
  let received = 0
  socket.setNoDelay(true)
  socket.on('error', () => {}) // the other end goes without a goodbye
  socket.on('data', piece => {
    received += piece.byteLength
    if (received < PAYLOAD) return
    received -= PAYLOAD
    socket.write('!')
  })
}

const receive = async (): Promise<void> => {
  const end = await openHopEnd(Buffer.from(process.argv[3] ?? '', 'hex'), PAYLOAD)
  const plain = createServer(onPlainConnection).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  process.once('disconnect', async () => {
    await end.stop()
    process.exit()
  })
  const { port } = plain.address() as { port: number }
  process.send?.({ network: end.address, plain: port } satisfies Opening)
}

const plainHop = async (port: number): Promise<() => Promise<void>> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const data = new Uint8Array(PAYLOAD)
  return async () => {
    socket.write(data)
    await once(socket, 'data')
  }
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? 0

const send = async (): Promise<void> => {
  const key = Buffer.alloc(32, 7)
  const receiver = fork(fileURLToPath(import.meta.url), ['receive', key.toString('hex')])
  const [opening] = (await once(receiver, 'message')) as [Opening]
  const end = await openHopEnd(key, PAYLOAD)
  const hops = {
    'plain TCP': await plainHop(opening.plain),
    'tributary hop': await end.join(opening.network)
  }
  const times = new Map(Object.keys(hops).map(name => [name, [] as number[]]))
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [name, hop] of Object.entries(hops)) {
      const start = performance.now()
      await hop()
      if (round >= 0) times.get(name)?.push(performance.now() - start)
    }
  }
  console.log(`one hop of ${PAYLOAD / 1000} KB between two processes, answered; ${ROUNDS} rounds, interleaved; ms`)
  const rows = [...times].map(([name, samples]) => {
    samples.sort((a, b) => a - b)
    const at = (q: number): number => Number(quantile(samples, q).toFixed(2))
    return { name, median: at(0.5), p10: at(0.1), p90: at(0.9) }
  })
  console.table(rows)
  const { median } = rows.find(({ name }) => name === 'tributary hop')!
  process.stdout.write(judge('a hop of 800 KB', `${median} ms, median`, median, { atMost: BUDGET_MS }))
  await end.stop()
  receiver.disconnect()
  process.exit()
}

await (process.argv[2] === 'receive' ? receive() : send())
