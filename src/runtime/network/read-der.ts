/** A value as ASN.1's distinguished encoding rules write it. */
export interface DerValue {
  /** Its first byte: class, whether it holds values, number. */
  readonly tag: number
  readonly content: Uint8Array
  /** With its tag and length. */
  readonly whole: Uint8Array
}

/** Lengths of more bytes than these are of nothing that is read here. */
const LENGTH_BYTES = 4

/**
 * The values that `bytes` holds, one after the other. What is within them is not looked at.
 *
 * Source: ITU-T X.690, 8.1
 *
 * @throws Error where they do not end where `bytes` does
 */
export const readDer = (bytes: Uint8Array): readonly DerValue[] => {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const value = valueAt(bytes, at)
    values.push(value)
    at += value.whole.length
  }
  return values
}

const valueAt = (bytes: Uint8Array, at: number): DerValue => {
  const [tag, first] = [bytes[at], bytes[at + 1]]
  if (tag === undefined || first === undefined) throw new Error('a value has no length')
  const counted = first < 0x80 ? 0 : first - 0x80
  const from = at + 2 + counted
  if (first === 0x80 || counted > LENGTH_BYTES || from > bytes.length) throw new Error('the length of a value is wrong')
  const length = counted === 0 ? first : bytes.subarray(at + 2, from).reduce((sum, byte) => 256 * sum + byte, 0)
  if (from + length > bytes.length) throw new Error('a value is longer than what holds it')
  return { tag, content: bytes.subarray(from, from + length), whole: bytes.subarray(at, from + length) }
}
