import { Transform, type TransformCallback } from 'node:stream'

const PUBLISH = 3
/** Nobody asks for messages that are delivered exactly once: such are kept until the broker says that it has done its part, which it need never. */
const MOST_QOS = 1
/** Of what comes before the payload of a message: its topic, its number, its properties. */
const MOST_HEAD = 2 ** 17

/** A packet of which no more is passed on. */
interface Passed {
  left: number
  readonly isKept: boolean
}

/**
 * What a broker sends, without the payloads of messages that are larger than may be: they are passed over as they come and never kept. The
 * message itself is passed on, empty, so that it can be acknowledged.
 */
export class MqttLimiter extends Transform {
  readonly #most: number
  readonly #cut: (messageId: number, bytes: number) => void
  #head: Buffer = Buffer.alloc(0)
  #packet: Passed | undefined

  /**
   * @param most bytes of a packet
   * @param cut is told of each that was larger, before it is passed on: its number, 0 where it has none, and its payload's bytes
   */
  constructor(most: number, cut: (messageId: number, bytes: number) => void) {
    super()
    this.#most = most
    this.#cut = cut
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    try {
      this.#take(chunk)
      done()
    } catch (error) {
      done(error as Error)
    }
  }

  #take(chunk: Buffer): void {
    let rest = chunk
    while (rest.byteLength > 0) {
      if (this.#packet === undefined) {
        this.#head = Buffer.concat([this.#head, rest])
        const begun = this.#begin(this.#head)
        if (begun === undefined) return
        rest = this.#head.subarray(begun)
        this.#head = Buffer.alloc(0)
        continue
      }
      const part = rest.subarray(0, this.#packet.left)
      if (this.#packet.isKept) this.push(part)
      this.#packet.left -= part.byteLength
      rest = rest.subarray(part.byteLength)
      if (this.#packet.left === 0) this.#packet = undefined
    }
  }

  /** @returns how many bytes of it are done with; undefined where more are needed to tell */
  #begin(bytes: Buffer): number | undefined {
    if (isMessage(bytes) && qosOf(bytes) > MOST_QOS)
      throw new Error(`the broker sent a message of QoS ${qosOf(bytes)}, which nobody asked for`)
    const length = varInt(bytes, 1)
    if (length === undefined) return undefined
    const { value, end } = length
    if (end + value <= this.#most) {
      this.push(bytes.subarray(0, end))
      if (value > 0) this.#packet = { left: value, isKept: true }
      return end
    }
    if (!isMessage(bytes)) throw new Error(`the broker sent a packet of ${value} bytes that is no message`)
    const head = messageHead(bytes, end)
    if (head === undefined) {
      if (bytes.byteLength > MOST_HEAD) throw new Error('the broker sent a message whose properties are too long')
      return undefined
    }
    this.#cut(head.messageId, end + value - head.end)
    this.push(Buffer.concat([bytes.subarray(0, 1), encodeVarInt(head.end - end), bytes.subarray(end, head.end)]))
    this.#packet = { left: end + value - head.end, isKept: false }
    return head.end
  }
}

const isMessage = (packet: Buffer): boolean => packet[0]! >> 4 === PUBLISH
const qosOf = (message: Buffer): number => (message[0]! >> 1) & 3

/** @returns undefined where more bytes are needed @throws where it is longer than four */
const varInt = (bytes: Buffer, at: number): { readonly value: number; readonly end: number } | undefined => {
  let value = 0
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    value += (byte & 127) * 128 ** i
    if (byte < 128) return { value, end: at + i + 1 }
  }
  throw new Error('what the broker sent is no MQTT')
}

const encodeVarInt = (value: number): Buffer => {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    bytes.push((left % 128) | (left >= 128 ? 128 : 0))
    if (left < 128) return Buffer.from(bytes)
  }
}

/** Of MQTT 5: topic, number (of those that are acknowledged), properties. */
const messageHead = (bytes: Buffer, from: number): { readonly messageId: number; readonly end: number } | undefined => {
  if (bytes.byteLength < from + 2) return undefined
  let end = from + 2 + bytes.readUInt16BE(from)
  const isAcknowledged = qosOf(bytes) > 0
  if (bytes.byteLength < end + 2) return undefined
  const messageId = isAcknowledged ? bytes.readUInt16BE(end) : 0
  if (isAcknowledged) end += 2
  const properties = varInt(bytes, end)
  if (properties === undefined || bytes.byteLength < properties.end + properties.value) return undefined
  return { messageId, end: properties.end + properties.value }
}
