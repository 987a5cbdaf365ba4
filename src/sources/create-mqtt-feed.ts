import type { LiveItem } from '../runtime/io/live-item.ts'
import type { MqttConnection, MqttMessage } from '../runtime/io/open-mqtt.ts'
import type { Feed, FeedParts } from './feed.ts'
import { FeedFailed } from './feed-failed.ts'
import { parseMessage } from './parse-message.ts'

export interface MqttFeedParts {
  /** A topic, or a filter of topics. */
  readonly topic: string
  readonly qos: 0 | 1
  readonly open: () => Promise<Broker>
}

export type Broker = Pick<MqttConnection, 'subscribe' | 'stop'>

/** One that came as a message. */
interface MqttItem extends LiveItem {
  readonly acknowledge: () => void
}

const OPENING_BRACE = 0x7b

/**
 * Messages of a topic: images as they are, or JSON as on standard input. Those of QoS 1 are acknowledged when their outcome is in the
 * sink, so that the broker sends them again where the device is killed before.
 */
export const createMqttFeed = ({ topic, qos, open }: MqttFeedParts): Feed => {
  let broker: Broker | undefined
  const read = async ({ offer, signal }: FeedParts): Promise<void> => {
    broker = await open()
    const over = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => over.resolve(), { once: true })
    let number = 0
    const take = async (message: MqttMessage): Promise<void> => {
      try {
        if ((await offer(itemOf(message, ++number))) === undefined) over.resolve()
      } catch (error) {
        over.reject(error)
      }
    }
    const subscribed = broker.subscribe(topic, qos, take).catch(error => {
      throw new FeedFailed(`topic ${topic}: the broker does not let us read it: ${error.message}`)
    })
    await Promise.race([over.promise, subscribed.then(() => over.promise)])
  }
  return {
    ...(qos === 1 ? { comesAgain: true } : {}),
    run: read,
    settled: item => (item as MqttItem).acknowledge(),
    close: async () => broker?.stop()
  }
}

const itemOf = ({ topic, payload, oversize, acknowledge }: MqttMessage, number: number): MqttItem => {
  const name = `${topic} ${number}`
  if (oversize !== undefined) {
    const because = `${name}: has ${oversize} bytes, more than are taken of a message; send a smaller image`
    return { name, acknowledge, content: { kind: 'none', because } }
  }
  if (payload[0] !== OPENING_BRACE) return { name, acknowledge, content: { kind: 'image', bytes: payload } }
  return { ...parseMessage(Buffer.from(payload).toString('utf8'), name, name, false), acknowledge }
}
