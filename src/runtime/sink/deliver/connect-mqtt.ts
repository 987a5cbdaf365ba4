import { connectAsync, type MqttClient } from 'mqtt'

export interface MqttAddress {
  /** mqtt or mqtts, host, port; a user and password in it count. */
  readonly url: URL
  readonly password?: string | undefined
}

const CONNECT_MS = 10_000

/** One connection, which is not made anew when it breaks. @throws as the broker or the network says */
export const connectMqtt = async ({ url, password }: MqttAddress): Promise<MqttClient> => {
  const { protocol, hostname, port, username } = url
  const own = password ?? decodeURIComponent(url.password)
  const client = await connectAsync(
    `${protocol}//${hostname}:${port || (protocol === 'mqtts:' ? 8883 : 1883)}`,
    {
      ...{ reconnectPeriod: 0, connectTimeout: CONNECT_MS, resubscribe: false },
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(own === '' ? {} : { password: own })
    },
    false
  )
  client.on('error', () => {}) // whoever publishes is told
  return client
}
