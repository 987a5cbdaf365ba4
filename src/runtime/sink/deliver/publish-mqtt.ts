import type { Clock } from '../../../core/clock.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import type { MqttAddress } from '../../io/mqtt-address.ts'
import { type MqttConnection, openMqtt } from '../../io/open-mqtt.ts'
import { parseSinkLine } from '../../ports/sink-entry.ts'
import { type Deliverer, Undelivered } from './deliver.ts'
import { withinTime } from './within-time.ts'

export interface PublishOptions {
  readonly address: MqttAddress
  /** `{source}` stands for the name of the source. */
  readonly topic: string
  readonly qos: 0 | 1
  readonly timeout: Seconds
  readonly clock: Clock
}

const MOST = 100
const LAST_WORDS: Seconds = seconds(2)

/** Publishes results as JSON; with QoS 1 each until the broker has acknowledged it. */
export const publishMqtt = (options: PublishOptions): Deliverer => {
  const { address, topic, qos, timeout, clock } = options
  let broker: MqttConnection | undefined
  const drop = (): void => {
    broker?.abandon()
    broker = undefined
  }
  const publish = async (lines: readonly string[], signal: AbortSignal): Promise<void> => {
    if (broker?.because() !== '') drop()
    if (broker === undefined) {
      const opened = await openMqtt({ address, isOnce: true, say: () => {} }) // what is wrong is thrown
      if (signal.aborted) return opened.abandon()
      broker = opened
      await opened.connected()
    }
    const to = broker
    await Promise.all(lines.map(line => to.publish(topicOf(topic, line), line, qos)))
  }
  return {
    most: MOST,
    deliver: async (lines, signal) => {
      try {
        await withinTime({ timeout, clock, signal }, both => publish(lines, both))
      } catch (error) {
        drop()
        throw error instanceof Undelivered ? error : new Undelivered(`cannot be reached: ${(error as Error).message}`)
      }
    },
    close: async () => {
      const { signal } = new AbortController()
      await withinTime({ timeout: LAST_WORDS, clock, signal }, async () => broker?.stop()).catch(() => drop())
    }
  }
}

const topicOf = (topic: string, line: string): string =>
  topic.replaceAll('{source}', parseSinkLine(line).source.replace(/@.*/s, ''))
