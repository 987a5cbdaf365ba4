import { configureTextEncoding, getTextEncoding } from '@bufbuild/protobuf/wire'

/** Well-formed characters beyond ASCII, or one byte that is part of none. As latin1, a byte a character. */
const PIECE =
  /((?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+)|([\x80-\xff])/g

/** Bytes that are not UTF-8 as �xx, each with its hexadecimal value: what differs in them stays different. */
export const losslessText = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    .replace(PIECE, (_, good: string | undefined, bad: string) =>
      good === undefined ? `\uFFFD${bad.charCodeAt(0).toString(16)}` : Buffer.from(good, 'latin1').toString('utf8')
    )

/**
 * Run something that decodes protocol buffers, with texts that are not UTF-8 kept apart. ONNX Runtime compares names byte
 * by byte; the usual decoding makes one name of all that differ only in such bytes.
 * @throws Error when two different texts become the same all the same
 */
export const withLosslessText = <T>(decode: () => T): T => {
  const usual = getTextEncoding()
  const escaped = new Map<string, string>()
  const decodeUtf8 = (bytes: Uint8Array): string => {
    const text = losslessText(bytes)
    if (!text.includes('\uFFFD')) return text
    const own = Buffer.from(bytes).toString('latin1')
    const other = escaped.get(text)
    if (other !== undefined && other !== own)
      throw new Error(`two names read "${text}" and differ in bytes that are not UTF-8; rename one`)
    escaped.set(text, own)
    return text
  }
  configureTextEncoding({ ...usual, decodeUtf8 })
  try {
    return decode()
  } finally {
    configureTextEncoding(usual)
  }
}
