import type { MqttClient } from 'mqtt'
import type { Clock } from '../../../core/clock.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { parseSinkLine } from '../../ports/sink-entry.ts'
import { connectMqtt, type MqttAddress } from './connect-mqtt.ts'
import { type Deliverer, Undelivered } from './deliver.ts'
import { withinTime } from './within-time.ts'

export interface PublishOptions extends MqttAddress {
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
  const { topic, qos, timeout, clock } = options
  let client: MqttClient | undefined
  const drop = (): void => {
    client?.end(true)
    client = undefined
  }
  const publish = async (lines: readonly string[], signal: AbortSignal): Promise<void> => {
    if (client?.connected !== true) drop()
    if (client === undefined) {
      const connected = await connectMqtt(options)
      if (signal.aborted) return void connected.end(true)
      client = connected
    }
    const to = client
    await Promise.all(lines.map(line => to.publishAsync(topicOf(topic, line), line, { qos })))
  }
  return {
    most: MOST,
    deliver: async (lines, signal) => {
      try {
        await withinTime({ timeout, clock, signal }, both => publish(lines, both))
      } catch (error) {
        drop()
        throw error instanceof Undelivered ? error : new Undelivered(`cannot be reached: ${describe(error)}`)
      }
    },
    close: async () => {
      const { signal } = new AbortController()
      await withinTime({ timeout: LAST_WORDS, clock, signal }, async () => client?.endAsync()).catch(() => drop())
    }
  }
}

const topicOf = (topic: string, line: string): string =>
  topic.replaceAll('{source}', parseSinkLine(line).source.replace(/@.*/s, ''))

const describe = (error: unknown): string => {
  const { message, code } = error as NodeJS.ErrnoException
  return message || String(code)
}
