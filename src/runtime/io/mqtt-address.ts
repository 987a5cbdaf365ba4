import { UserError } from '../../core/user-error.ts'
import { decodedPart } from './decoded-part.ts'

/** Where a topic is. */
export interface MqttAddress {
  readonly host: string
  readonly port: number
  /** TLS. */
  readonly isSecure: boolean
  readonly user: string | undefined
  readonly password: string | undefined
  readonly topic: string
  /** For people: without the password. */
  readonly shown: string
}

const FORM = 'mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC, or mqtts:// for TLS (in a password, / is %2F and @ is %40)'

/** @param where names it in messages @throws UserError when it is none */
export const parseMqttAddress = (text: string, where: string): MqttAddress => {
  const match = /^(mqtts?):\/\/(?:([^:/@]*)(?::([^/@]*))?@)?(\[[0-9a-f:]+\]|[^:/@]+)(?::(\d{1,5}))?\/(.+)$/is.exec(text)
  const [, scheme = '', user, password, host = '', portText, topic = ''] = match ?? []
  const isSecure = scheme.toLowerCase() === 'mqtts'
  const port = portText === undefined ? (isSecure ? 8883 : 1883) : Number(portText)
  if (match === null || port < 1 || port > 65_535) throw new UserError(`${where}: is not ${FORM}`)
  if (Buffer.byteLength(topic) > 65_535 || topic.includes('\0'))
    throw new UserError(`${where}: topic: is longer than 65535 bytes, or has a character that no topic has`)
  return {
    ...{ host: host.replace(/^\[|\]$/g, ''), port, isSecure, topic },
    user: user === undefined ? undefined : decodedPart(user, `${where}: user`),
    password: password === undefined ? undefined : decodedPart(password, `${where}: password`),
    shown: `${scheme}://${host}:${port}/${topic}`
  }
}

/** Whether it may stand for several. */
export const isTopicFilter = (topic: string): boolean => /[+#]/.test(topic)
