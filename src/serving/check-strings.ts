import { isUtf8 } from 'node:buffer'
import { elementCount } from '../core/tensor.ts'
import { ServingError } from './serving-error.ts'

/**
 * Elements of BYTES as they came: for each four bytes of length, then as many.
 * @throws ServingError where they are not as many as the shape says, or one is no text that ONNX Runtime takes unaltered: its
 *   JavaScript API cuts at the first NUL, and has no other bytes than UTF-8
 */
export const checkStrings = (name: string, shape: readonly number[], data: Uint8Array): void => {
  const refused = (words: string) => new ServingError('badRequest', `input '${name}' has ${words}`)
  const elements = elementsOf(data)
  const count = elementCount(shape)
  if (elements?.length !== count)
    throw refused(`${elements?.length ?? 'broken'} elements of BYTES; its shape [${shape.join(',')}] has ${count}`)
  for (const [i, element] of elements.entries()) {
    if (element.includes(0)) throw refused(`a NUL in element ${i} of BYTES: a model's strings are text; ${ELSE}`)
    if (!isUtf8(element)) throw refused(`no UTF-8 in element ${i} of BYTES: a model's strings are text; ${ELSE}`)
  }
}

const ELSE = 'bytes of other kinds go to an input of UINT8'

/** @returns undefined where a length points past the end */
const elementsOf = (data: Uint8Array): Uint8Array[] | undefined => {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const elements: Uint8Array[] = []
  for (let at = 0; at < data.byteLength; ) {
    if (at + 4 > data.byteLength) return undefined
    const from = at + 4
    at = from + view.getUint32(at, true)
    if (at > data.byteLength) return undefined
    elements.push(data.subarray(from, at))
  }
  return elements
}
