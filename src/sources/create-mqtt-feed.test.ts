import { expect, test } from 'vitest'
import type { LivePort } from '../runtime/io/create-live-port.ts'
import type { LiveItem } from '../runtime/io/live-item.ts'
import type { MqttMessage } from '../runtime/io/open-mqtt.ts'
import { type Broker, createMqttFeed } from './create-mqtt-feed.ts'

test('a message is an image or JSON, and is acknowledged when its outcome is in the sink, not before', async () => {
  const acknowledged: string[] = []
  let hear: (message: MqttMessage) => void = () => {}
  let isStopped = false
  const broker: Broker = {
    subscribe: async (_topic, _qos, heard) => {
      hear = heard
    },
    stop: async () => {
      isStopped = true
    }
  }
  const feed = createMqttFeed({ topic: 'yard/+', qos: 1, open: async () => broker })
  const items: LiveItem[] = []
  const over = new AbortController()
  const offer = async (item: LiveItem) => (items.length < 4 ? items.push(item) : undefined)
  const running = feed.run({ offer, port: {} as LivePort, signal: over.signal })
  await Promise.resolve()
  const send = (payload: string | Uint8Array, oversize?: number) =>
    hear({
      ...{ topic: 'yard/cam', payload: Buffer.from(payload) },
      ...(oversize === undefined ? {} : { oversize }),
      acknowledge: () => acknowledged.push(String(payload).slice(0, 5))
    })
  send(Uint8Array.of(0xff, 0xd8, 0xff))
  send('{"name":"a","tensors":{"x":{"dims":[1],"data":[1]}}}')
  send('{"file":"/etc/passwd"}')
  send('', 2 ** 30)
  expect(items.map(({ name, content }) => [name, content.kind === 'none' ? content.because : content.kind])).toEqual([
    ['yard/cam 1', 'image'],
    ['a', 'tensors'],
    ['yard/cam 3', expect.stringMatching(/^yard\/cam 3: file: a message of another machine names no file here/)],
    ['yard/cam 4', 'yard/cam 4: has 1073741824 bytes, more than are taken of a message; send a smaller image']
  ])
  expect(acknowledged).toEqual([])
  feed.settled!(items[1]!)
  expect(acknowledged).toEqual(['{"nam'])
  send('no more are taken')
  await running
  expect([isStopped, acknowledged.length, feed.comesAgain]).toEqual([false, 1, true])
  await feed.close!()
  expect(isStopped).toBe(true)
})

const brokerOf = (heard: (hear: (message: MqttMessage) => unknown) => void): Broker => ({
  subscribe: async (_topic, _qos, hear) => heard(hear),
  stop: async () => {}
})
const message: MqttMessage = { topic: 'yard/cam', payload: Uint8Array.of(0xff, 0xd8), acknowledge: () => {} }

test('where an item cannot be taken, the source has failed, and nothing else', async () => {
  const broker = brokerOf(hear => void hear(message))
  const feed = createMqttFeed({ topic: 'yard/+', qos: 1, open: async () => broker })
  const offer = () => Promise.reject(new Error('the disk is full'))
  await expect(feed.run({ offer, port: {} as LivePort, signal: new AbortController().signal })).rejects.toThrow(
    'the disk is full'
  )
})

test('whoever hands a message over can wait until it is taken', async () => {
  let taken: unknown
  const broker = brokerOf(hear => {
    taken = hear(message)
  })
  const feed = createMqttFeed({ topic: 'yard/+', qos: 0, open: async () => broker })
  const room = Promise.withResolvers<undefined>()
  const running = feed.run({ offer: () => room.promise, port: {} as LivePort, signal: new AbortController().signal })
  await Promise.resolve()
  expect(await Promise.race([taken, Promise.resolve('waits')])).toBe('waits')
  room.resolve(undefined)
  await taken
  await running
})
