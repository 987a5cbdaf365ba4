const LENGTH_DELIMITED = 2

/** Names that help, of the fields of an ONNX model. */
const FIELDS: Readonly<Record<number, string>> = {
  7: 'graph',
  8: 'opset_import',
  14: 'metadata_props',
  25: 'functions'
}

/**
 * Where a file stops being protocol buffers, by its outermost fields: the first that reaches past the end or cannot be.
 * Undefined when the damage is further inside.
 */
export const findDamage = (bytes: Uint8Array): string | undefined => {
  for (let at = 0; at < bytes.length; ) {
    const start = at
    const tag = varint(bytes, at)
    if (tag === undefined) return `no field begins at byte ${start}`
    const [field, wire] = [Math.floor(tag.value / 8), tag.value % 8]
    const size = sizeOf(bytes, tag.next, wire)
    if (field === 0 || size === undefined) return `no field begins at byte ${start}`
    if (size.end > bytes.length) {
      const missing = size.end - bytes.length
      return `field ${field}${FIELDS[field] === undefined ? '' : ` (${FIELDS[field]})`} at byte ${start} lacks its last ${missing} bytes`
    }
    at = size.end
  }
  return undefined
}

const sizeOf = (bytes: Uint8Array, at: number, wire: number): { readonly end: number } | undefined => {
  if (wire === 0) {
    const value = varint(bytes, at)
    return value === undefined ? undefined : { end: value.next }
  }
  if (wire === 1) return { end: at + 8 }
  if (wire === 5) return { end: at + 4 }
  if (wire !== LENGTH_DELIMITED) return undefined
  const length = varint(bytes, at)
  return length === undefined ? undefined : { end: length.next + length.value }
}

const varint = (bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } | undefined => {
  let value = 0
  for (let i = 0; i < 10 && at + i < bytes.length; i++) {
    value += (bytes[at + i]! & 127) * 128 ** i
    if (bytes[at + i]! < 128) return { value, next: at + i + 1 }
  }
  return undefined
}
