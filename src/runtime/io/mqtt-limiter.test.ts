import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MqttLimiter } from './mqtt-limiter.ts'

const lengthOf = (value: number): number[] => {
  const bytes: number[] = []
  for (let left = value; ; left >>= 7) {
    bytes.push((left & 127) | (left > 127 ? 128 : 0))
    if (left <= 127) return bytes
  }
}
/** A message of MQTT 5 without properties. */
const message = (topic: string, messageId: number, payload: number): Buffer => {
  const head = [0, topic.length, ...Buffer.from(topic), ...(messageId > 0 ? [messageId >> 8, messageId & 255] : []), 0]
  const first = 0x30 | (messageId > 0 ? 2 : 0)
  return Buffer.concat([Buffer.from([first, ...lengthOf(head.length + payload), ...head]), Buffer.alloc(payload, 7)])
}

const through = async (bytes: Buffer, piece: number, most: number) => {
  const cut: string[] = []
  const limiter = new MqttLimiter(most, (messageId, size) => cut.push(`${messageId}: ${size}`))
  const out: Buffer[] = []
  limiter.on('data', chunk => out.push(chunk))
  for (let at = 0; at < bytes.byteLength; at += piece) limiter.write(bytes.subarray(at, at + piece))
  await new Promise(resolve => limiter.end(resolve))
  return { out: Buffer.concat(out), cut }
}

test('what is small is passed on as it is, and of what is large the message without its payload, however the bytes come', async () => {
  const one = fc.record({
    topic: fc.constantFrom('a', 'yard/cam'),
    id: fc.nat(9),
    size: fc.integer({ min: 0, max: 400 })
  })
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 6 }), fc.integer({ min: 1, max: 300 }), async (messages, piece) => {
      const ping = Buffer.from([0xd0, 0])
      const packets = messages.map(({ topic, id, size }) => ({ whole: message(topic, id, size), topic, id, size }))
      const { out, cut } = await through(Buffer.concat(packets.flatMap(({ whole }) => [whole, ping])), piece, 100)
      const isLarge = ({ whole }: { whole: Buffer }) => whole.byteLength > 100
      const expected = packets.map(packet => (isLarge(packet) ? message(packet.topic, packet.id, 0) : packet.whole))
      expect(out).toEqual(Buffer.concat(expected.flatMap(whole => [whole, ping])))
      expect(cut).toEqual(packets.filter(isLarge).map(({ id, size }) => `${id}: ${size}`))
    })
  )
})

test('a message that says it has 256 MiB, of which all come, takes no memory', async () => {
  const size = 2 ** 28 - 100
  const cut: number[] = []
  const limiter = new MqttLimiter(2 ** 20, (_, bytes) => cut.push(bytes))
  let passed = 0
  limiter.on('data', chunk => {
    passed += chunk.byteLength
  })
  const head = message('t', 3, 0)
  const begun = Buffer.concat([
    head.subarray(0, 1),
    Buffer.from(lengthOf(head.byteLength - 2 + size)),
    head.subarray(2)
  ])
  const before = process.memoryUsage().rss
  limiter.write(begun)
  const chunk = Buffer.alloc(2 ** 16)
  let most = 0
  for (let sent = 0; sent < size; sent += chunk.byteLength) {
    const isRoom = limiter.write(chunk.subarray(0, Math.min(chunk.byteLength, size - sent)))
    if (!isRoom) await new Promise(resolve => limiter.once('drain', resolve))
    most = Math.max(most, process.memoryUsage().rss - before)
  }
  await new Promise(resolve => limiter.end(resolve))
  expect([cut, passed]).toEqual([[size], head.byteLength])
  expect(most).toBeLessThan(2 ** 26)
})

test.each([
  ['is no message', [0x90, 0xff, 0xff, 0x7f, 1], /a packet of 2097151 bytes that is no message/],
  [
    'is a message that is to be kept until the broker lets it go',
    [0x34, 5, 0, 0, 0, 1, 0],
    /QoS 2, which nobody asked/
  ],
  ['has a length of five bytes', [0x30, 0xff, 0xff, 0xff, 0xff, 1], /is no MQTT/]
])('what %s ends the connection', async (_, bytes, message) => {
  const limiter = new MqttLimiter(100, () => {})
  const failed = new Promise<Error>(resolve => limiter.once('error', resolve))
  limiter.write(Buffer.from(bytes))
  expect((await failed).message).toMatch(message)
})
