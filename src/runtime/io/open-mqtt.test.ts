import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { seconds } from '../../core/units.ts'
import { createMosquitto, freePort, hasMosquitto, type Mosquitto } from '../../testing/mosquitto.ts'
import { systemClock } from '../system-clock.ts'
import { parseMqttAddress } from './mqtt-address.ts'
import { type MqttConnection, type MqttMessage, openMqtt } from './open-mqtt.ts'

const open: MqttConnection[] = []
let broker: Mosquitto | undefined
afterEach(async () => {
  await Promise.all(open.splice(0).map(connection => connection.stop()))
  await broker?.stop()
  broker = undefined
})

const connectionTo = async (port: number, clientId: string, most?: number) => {
  const log: string[] = []
  const address = parseMqttAddress(`mqtt://127.0.0.1:${port}/yard/cam`, 'here')
  const say = (text: string) => void log.push(text.replace(String(port), 'PORT'))
  const connection = await openMqtt({ address, clientId, say, ...(most === undefined ? {} : { most }) })
  open.push(connection)
  return { connection, log }
}
/** Seconds. */
const LATE = 0.05
/** What a broker says comes late. */
const slowTo = async (port: number) => {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    const broker = connect(port, '127.0.0.1')
    for (const each of [socket, broker]) sockets.add(each.on('error', () => {}).on('close', () => each.destroy()))
    socket.pipe(broker)
    broker.on('data', chunk => void systemClock.sleep(seconds(LATE)).then(() => socket.write(chunk)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
/** What was heard, and a wait for it. */
const hearing = async (connection: MqttConnection) => {
  const heard: MqttMessage[] = []
  let wake = (): void => {}
  await connection.subscribe('yard/+', 1, message => {
    heard.push(message)
    wake()
  })
  const until = async (count: number): Promise<void> => {
    while (heard.length < count) await new Promise<void>(resolve => (wake = resolve))
  }
  const texts = () => heard.map(({ payload }) => Buffer.from(payload).toString())
  return { heard, until, texts }
}

test('a broker that is away is told once, and no password with it', async () => {
  const port = await freePort()
  const { connection, log } = await connectionTo(port, 'a')
  while (log.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  await new Promise(resolve => setTimeout(resolve, 10))
  expect(log).toEqual([expect.stringMatching(/^mqtt:\/\/127\.0\.0\.1:PORT\/yard\/cam: .*ECONNREFUSED.*; tried again$/)])
  expect(connection.because()).toMatch(/ECONNREFUSED/)
  expect(parseMqttAddress('mqtt://me:secret@host/t', 'here').shown).toBe('mqtt://host:1883/t')
})

test.skipIf(!hasMosquitto)('a topic is heard of a broker that comes later', async () => {
  broker = await createMosquitto()
  const { port } = broker
  const { connection, log } = await connectionTo(port, 'early')
  const heard = hearing(connection)
  while (log.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  await broker.start()
  const { until, texts } = await heard
  const { connection: other } = await connectionTo(port, 'other')
  await other.publish('yard/cam', 'hello')
  await until(1)
  expect(texts()).toEqual(['hello'])
})

test('one that speaks something else is told, and the process goes on', async () => {
  const server = createServer(socket => {
    socket.on('error', () => {}).resume()
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  const port = await new Promise<number>(resolve =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  )
  const { log } = await connectionTo(port, 'a')
  while (log.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  expect(log[0]).toMatch(/; tried again$/)
  await Promise.all(open.splice(0).map(connection => connection.stop()))
  await new Promise(resolve => server.close(resolve))
})

/** Answers so to the first that it is sent, and then nothing. */
const silentBroker = async (answer: Buffer | undefined) => {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).once('data', () => (answer === undefined ? undefined : socket.write(answer)))
  })
  const port = await new Promise<number>(resolve =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  )
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(open.splice(0).map(connection => connection.stop()))
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}

test.each([
  ['the connection and says nothing', undefined, /connack timeout; tried again$/],
  ['us in and says nothing more', Buffer.from([0x20, 3, 0, 0, 0]), /: (Keepalive timeout|the broker .*); tried again$/]
])('a broker that takes %s is away, and tried again', async (_, answer, because) => {
  await using broker = await silentBroker(answer)
  const address = parseMqttAddress(`mqtt://127.0.0.1:${broker.port}/t`, 'here')
  const log: string[] = []
  open.push(await openMqtt({ address, clientId: 'a', patience: seconds(0.1), say: text => log.push(text) }))
  // Where this machine is busy, the broker that does take us in may come too late for that at first.
  await vi.waitFor(() => expect(log).toContainEqual(expect.stringMatching(because)), 10_000)
})

test('a connection that is one alone ends with its broker, and whoever publishes is told', async () => {
  await using broker = await silentBroker(Buffer.from([0x20, 2, 0, 0]))
  const address = parseMqttAddress(`mqtt://127.0.0.1:${broker.port}/t`, 'here')
  const connection = await openMqtt({ address, isOnce: true, patience: seconds(0.1), say: () => {} })
  await connection.connected()
  await expect(connection.publish('t', 'x')).rejects.toThrow(/Keepalive timeout|the broker/)
  expect(connection.because()).not.toBe('')
  connection.abandon()
  const nobody = parseMqttAddress(`mqtt://127.0.0.1:${await freePort()}/t`, 'here')
  const away = await openMqtt({ address: nobody, isOnce: true, say: () => {} })
  await expect(away.connected()).rejects.toThrow(/ECONNREFUSED/)
  away.abandon()
})

describe.skipIf(!hasMosquitto())('with a broker', () => {
  test('a flood stays with the broker: no more come than may be under way, each once, also when it answers late', async () => {
    broker = await createMosquitto()
    await broker.start()
    const slow = await slowTo(broker.port)
    const address = parseMqttAddress(`mqtt://127.0.0.1:${slow.port}/yard/cam`, 'here')
    const connection = await openMqtt({ address, clientId: 'reader', unacknowledged: 4, say: () => {} })
    open.push(connection)
    const { heard, until, texts } = await hearing(connection)
    const { connection: writer } = await connectionTo(broker.port, 'writer')
    const names = Array.from({ length: 40 }, (_, i) => `${i}`)
    for (const name of names) await writer.publish('yard/cam', name)
    await until(4)
    await systemClock.sleep(seconds(4 * LATE))
    expect(heard).toHaveLength(4)
    for (let done = 0; done < names.length; done++) {
      await until(done + 1)
      expect(heard.length - done).toBeLessThanOrEqual(4)
      heard[done]!.acknowledge()
    }
    expect(texts()).toEqual(names)
    await connection.stop()
    await slow[Symbol.asyncDispose]()
  })

  test('a message is sent again to whoever comes back without having acknowledged it, and no more after', async () => {
    broker = await createMosquitto()
    await broker.start()
    const first = await connectionTo(broker.port, 'reader')
    const before = await hearing(first.connection)
    const { connection: writer } = await connectionTo(broker.port, 'writer')
    for (const text of ['a', 'b', 'c']) await writer.publish('yard/cam', text)
    await before.until(3)
    before.heard[1]!.acknowledge()
    await first.connection.stop()
    const second = await connectionTo(broker.port, 'reader')
    const again = await hearing(second.connection)
    await again.until(2)
    expect(again.texts()).toEqual(['a', 'c'])
    for (const message of again.heard) message.acknowledge()
    await second.connection.stop()
    const third = await hearing((await connectionTo(broker.port, 'reader')).connection)
    await writer.publish('yard/cam', 'd')
    await third.until(1)
    expect(third.texts()).toEqual(['d'])
  })

  test('where the broker goes and comes back, what is under way is not heard twice, and what was done meanwhile is acknowledged', async () => {
    broker = await createMosquitto()
    await broker.start()
    const { connection, log } = await connectionTo(broker.port, 'reader')
    const { heard, until, texts } = await hearing(connection)
    const { connection: writer } = await connectionTo(broker.port, 'writer')
    for (const text of ['a', 'b']) await writer.publish('yard/cam', text)
    await until(2)
    await broker.stop()
    heard[0]!.acknowledge() // nobody hears it
    await broker.start()
    await writer.publish('yard/cam', 'c')
    await until(3)
    expect(texts()).toEqual(['a', 'b', 'c'])
    for (const message of heard) message.acknowledge()
    expect(log.at(-1)).toMatch(/is there again/)
    await connection.stop()
    const later = await hearing((await connectionTo(broker.port, 'reader')).connection)
    await writer.publish('yard/cam', 'd')
    await later.until(1)
    expect(later.texts()).toEqual(['d'])
  })

  test('of a message that is too large only that it came is kept, and the next is heard', async () => {
    broker = await createMosquitto()
    await broker.start()
    const { connection } = await connectionTo(broker.port, 'reader', 10_000)
    const { heard, until } = await hearing(connection)
    const { connection: writer } = await connectionTo(broker.port, 'writer')
    await writer.publish('yard/cam', Buffer.alloc(20_000))
    await writer.publish('yard/cam', 'small')
    await until(2)
    expect(heard.map(({ oversize, payload }) => [oversize, payload.byteLength])).toEqual([
      [20_000, 0],
      [undefined, 5]
    ])
  })

  test('of large messages fewer are under way: all together are no larger than two of the largest', async () => {
    broker = await createMosquitto()
    await broker.start()
    const { connection } = await connectionTo(broker.port, 'reader', 10_000)
    const { heard, until } = await hearing(connection)
    const { connection: writer } = await connectionTo(broker.port, 'writer')
    for (const size of [9_000, 9_001, 9_002, 10]) await writer.publish('yard/cam', Buffer.alloc(size))
    await until(2)
    await systemClock.sleep(seconds(4 * LATE))
    expect(heard.map(({ payload }) => payload.byteLength)).toEqual([9_000, 9_001])
    heard[0]!.acknowledge()
    await until(4)
    expect(heard.map(({ payload }) => payload.byteLength)).toEqual([9_000, 9_001, 9_002, 10])
  })

  test('messages of QoS 0 are read one by one, as they are taken', async () => {
    broker = await createMosquitto()
    await broker.start()
    const { connection } = await connectionTo(broker.port, 'reader')
    const heard: string[] = []
    const room = Promise.withResolvers<void>()
    await connection.subscribe('yard/+', 0, ({ payload }) => {
      heard.push(Buffer.from(payload).toString())
      return room.promise
    })
    const { connection: writer } = await connectionTo(broker.port, 'writer')
    for (const text of ['a', 'b', 'c']) await writer.publish('yard/cam', text)
    while (heard.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(heard).toEqual(['a'])
    room.resolve()
    while (heard.length < 3) await new Promise(resolve => setTimeout(resolve, 10))
    expect(heard).toEqual(['a', 'b', 'c'])
  })
})
