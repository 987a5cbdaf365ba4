/** Element types that may cross a cut: what ONNX Runtime's JavaScript API can hand in and out. */
export const ELEMENT_TYPES = {
  float32: 4,
  float64: 8,
  float16: 2,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  bool: 1,
  string: 0
} as const satisfies Record<string, number>

/** Of the elements of a tensor. */
export type ElementType = keyof typeof ELEMENT_TYPES

/** The array in which a program holds elements of each type that is not text; float16 as its 16 bits, bool as bytes. */
export const TYPED_ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array
} as const satisfies Record<Exclude<ElementType, 'string'>, unknown>

/**
 * A named tensor, as it travels. `data` holds the elements in row-major order, little endian, and starts at
 * offset 0 of its own ArrayBuffer, so that it can be transferred between threads and viewed as any typed array.
 * Strings: for each element a uint32 byte length (little endian), then its UTF-8 bytes.
 */
export interface Tensor {
  readonly name: string
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly data: Uint8Array<ArrayBuffer>
  /** Whoever lent it still has it: it is not given away, and `data` may be a part of a larger buffer, from anywhere in it. */
  readonly isLent?: true
}

/** At least 0; a name where it is not known before the run, null where it has no name either. */
export type Dimension = number | string | null

/** Name, type and shape of a tensor, without its elements. A shape without dimensions: a scalar, or of unknown rank. */
export interface TensorSpec {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly Dimension[]
}

/** Elements in a shape; 1 for a scalar, 0 when any dimension is 0. */
export const elementCount = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1)
