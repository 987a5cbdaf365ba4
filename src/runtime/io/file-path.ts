import { join } from 'node:path'

/** A path as the operating system has it: text, or its bytes where these are not UTF-8. */
export type FilePath = string | Buffer

export const inFolder = (folder: string, name: Buffer): FilePath => {
  const text = utf8(name)
  return text === undefined ? Buffer.concat([Buffer.from(join(folder, 'x').slice(0, -1)), name]) : join(folder, text)
}

export const withEnding = (path: FilePath, ending: string): FilePath =>
  typeof path === 'string' ? path + ending : Buffer.concat([path, Buffer.from(ending)])

/** For messages. */
export const shownPath = (path: FilePath): string => (typeof path === 'string' ? path : shownName(path))

/**
 * A file's name as text, each different from the others: what is not UTF-8 becomes `\xHH`, byte by byte, and a backslash that
 * could be taken for the beginning of that becomes `\x5c`. Other names stay as they are.
 */
export const shownName = (name: Buffer): string => {
  const text = utf8(name)
  if (text !== undefined) return escapeSlashes(text)
  let shown = ''
  let good = 0
  for (let at = 0; at < name.byteLength; ) {
    const length = lengthOfCharacter(name, at)
    if (length > 0) at += length
    else {
      shown += `${escapeSlashes(name.toString('utf8', good, at))}\\x${name[at]!.toString(16).padStart(2, '0')}`
      good = ++at
    }
  }
  return shown + escapeSlashes(name.toString('utf8', good))
}

/** The bytes that a shown name stands for. */
export const nameBytes = (shown: string): Buffer =>
  Buffer.concat(
    shown
      .split(/(\\x[0-9a-f]{2})/)
      .map((part, i) => (i % 2 === 1 ? Buffer.from([Number.parseInt(part.slice(2), 16)]) : Buffer.from(part)))
  )

const escapeSlashes = (text: string): string => text.replace(/\\(?=x[0-9a-f]{2})/g, '\\x5c')

const utf8 = (bytes: Buffer): string | undefined => {
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : undefined
}

/** In bytes, 1 to 4; 0 where no character begins. */
const lengthOfCharacter = (bytes: Buffer, at: number): number => {
  const first = bytes[at]!
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (length === 0 || at + length > bytes.byteLength) return 0
  return utf8(bytes.subarray(at, at + length)) === undefined ? 0 : length
}
