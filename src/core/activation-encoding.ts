import { type BytesPerSecond, bytesPerSecond } from './units.ts'

/** How float32 activations travel, the exact one first, then by what they lose. */
export const ACTIVATION_ENCODINGS = ['fp32', 'fp16', 'int8'] as const
/** How float32 activations travel on a link. */
export type ActivationEncoding = (typeof ACTIVATION_ENCODINGS)[number]

/** What a user may ask for: one encoding for every link, or the best for each. */
export const ENCODING_CHOICES = ['auto', ...ACTIVATION_ENCODINGS] as const
/** What a cluster may be told of it: one for all links, or, per link, what is fastest. */
export type EncodingChoice = (typeof ENCODING_CHOICES)[number]

/** Bytes that are sent for each byte of float32. */
export const SENT_PER_BYTE: Readonly<Record<ActivationEncoding, number>> = { fp32: 1, fp16: 1 / 2, int8: 1 / 4 }

/** Seconds to encode and decode a byte of float32. */
export type CodecCosts = Readonly<Record<ActivationEncoding, number>>

/** Of the time that the next more exact encoding takes; what saves less is not worth what it loses. */
const WORTH = 0.8

/** What of a link's bytes can be encoded: results and other types than float32 travel as they are. */
const secondsPerByte = (encoding: ActivationEncoding, rate: number, costs: CodecCosts, share: number): number =>
  (1 - share + share * SENT_PER_BYTE[encoding]) / rate + share * costs[encoding]

/**
 * The encoding of activations on a link of so many bytes a second: the one that was asked for, or with `auto` the one
 * that takes the least time for a byte of activation, its codec's time included, where it saves at least a fifth.
 */
export const chooseEncoding = (choice: EncodingChoice, rate: BytesPerSecond, costs: CodecCosts): ActivationEncoding => {
  if (choice !== 'auto') return choice
  const time = (encoding: ActivationEncoding): number => secondsPerByte(encoding, rate, costs, 1)
  return ACTIVATION_ENCODINGS.reduce((best, next) => (time(next) <= WORTH * time(best) ? next : best))
}

/**
 * Bytes of activation a second that a link carries when they travel encoded: what prices and plans are made with.
 * @param share of the bytes that can be encoded
 */
export const encodedRate = (
  encoding: ActivationEncoding,
  rate: BytesPerSecond,
  costs: CodecCosts,
  share = 1
): BytesPerSecond => (encoding === 'fp32' ? rate : bytesPerSecond(1 / secondsPerByte(encoding, rate, costs, share)))
