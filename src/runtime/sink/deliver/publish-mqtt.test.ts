import { mkdtempSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import { afterEach, expect, test, vi } from 'vitest'
import type { Clock } from '../../../core/clock.ts'
import { bytes, seconds } from '../../../core/units.ts'
import { parseMqttAddress } from '../../io/mqtt-address.ts'
import type { Sink } from '../../ports/sink.ts'
import type { ResultEntry } from '../../ports/sink-entry.ts'
import { systemClock } from '../../system-clock.ts'
import { openDeliveringSink } from './delivering-sink.ts'
import { publishMqtt } from './publish-mqtt.ts'

const hurried: Clock = {
  now: systemClock.now,
  sleep: (duration, options) => systemClock.sleep(seconds(duration / 100), options)
}

interface Broker extends AsyncDisposable {
  readonly port: number
  /** Topic and datum of what was published, in order. */
  readonly published: string[]
}

/**
 * @param opens what becomes of a connection. @default the broker takes it
 * @param late seconds until it takes a message
 */
const broker = async (port = 0, opens?: (socket: Socket) => void, late = 0): Promise<Broker> => {
  const aedes = await Aedes.createBroker({
    authorizePublish: (_client, _packet, done) => void systemClock.sleep(seconds(late)).then(() => done(null)),
    authenticate: (_, username, password, done) => done(null, username !== 'me' || String(password) === 'secret')
  })
  const published: string[] = []
  aedes.on('publish', ({ topic, payload, qos }) => {
    if (!topic.startsWith('$SYS')) published.push(`${topic} ${JSON.parse(String(payload)).datum} qos ${qos}`)
  })
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    if (opens === undefined) aedes.handle(socket)
    else opens(socket)
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    ...{ port: (server.address() as { port: number }).port, published },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
      await new Promise<void>(resolve => aedes.close(() => resolve()))
    }
  }
}

const said: string[] = []
const sinks: Sink[] = []
afterEach(async () => {
  await Promise.all(sinks.splice(0).map(sink => sink.stop()))
  said.length = 0
})

const place = (): string => mkdtempSync(join(tmpdir(), 'tributary-mqtt-'))

/** @param timeout of which a hundredth passes */
const open = async (port: number, user = '', folder = place(), timeout = 2000): Promise<Sink> => {
  const sink = await openDeliveringSink({
    ...{ name: 'mqtt:x', folder, backlog: bytes(1e6), clock: hurried, say: (text: string) => said.push(text) },
    deliverer: publishMqtt({
      ...{
        address: parseMqttAddress(`mqtt://${user}127.0.0.1:${port}/x`, 'here'),
        topic: 'home/{source}/seen',
        qos: 1
      },
      timeout: seconds(timeout),
      clock: hurried
    })
  })
  sinks.push(sink)
  return sink
}

const write = (sink: Sink, ...data: readonly number[]) =>
  Promise.all(
    data.map(datum => {
      const entry: ResultEntry = { source: 'door@porch', datum, item: '', result: 1, inferenceTime: 1, attempts: 1 }
      return sink.write(entry)
    })
  )
const seen = (...data: readonly number[]): string[] => data.map(datum => `home/door/seen ${datum} qos 1`)

test('each result is published to the topic of its source, and acknowledged', async () => {
  await using at = await broker()
  const sink = await open(at.port, 'me:secret@')
  await write(sink, 0, 1, 2)
  await vi.waitFor(() => expect(at.published).toEqual(seen(0, 1, 2)), 5000)
  await sink.stop()
  expect(said).toEqual([])
})

test('a broker that is away is waited for; what is published meanwhile comes when it is back', async () => {
  const first = await broker()
  const sink = await open(first.port)
  await write(sink, 0)
  await vi.waitFor(() => expect(first.published).toEqual(seen(0)))
  await first[Symbol.asyncDispose]()
  await write(sink, 1, 2)
  await vi.waitFor(() =>
    expect(said.join()).toMatch(/cannot be reached: (the broker has closed the connection|.*ECONNREFUSED)/)
  )
  await using second = await broker(first.port)
  await vi.waitFor(() => expect(second.published).toEqual(seen(1, 2)), 5000)
  await sink.stop()
})

test('a broker that is slow has each result all the same, once and in order', async () => {
  await using at = await broker(0, undefined, 0.1)
  const sink = await open(at.port)
  const data = Array.from({ length: 10 }, (_, datum) => datum)
  await write(sink, ...data)
  await vi.waitFor(() => expect(at.published).toEqual(seen(...data)), 10_000)
  await sink.stop()
  expect(said).toEqual([])
})

test('a broker that takes the connection and says nothing is late', async () => {
  const silent = await broker(0, () => {})
  const folder = place()
  const sink = await open(silent.port, '', folder, 100)
  await write(sink, 0)
  await vi.waitFor(() => expect(said.join()).toMatch(/has not answered within 100 s/), 5000)
  await sink.stop()
  await silent[Symbol.asyncDispose]()
  await using back = await broker(silent.port)
  const again = await open(back.port, '', folder)
  await vi.waitFor(() => expect(back.published).toEqual(seen(0)), 5000)
  await again.stop()
})

test('a broker that refuses the password says so', async () => {
  await using at = await broker()
  const sink = await open(at.port, 'me:wrong@')
  await write(sink, 0)
  await vi.waitFor(
    () => expect(said.join()).toMatch(/cannot be reached: Connection refused: .*(authoriz|password)/i),
    5000
  )
  await sink.stop()
  expect(at.published).toEqual([])
})
