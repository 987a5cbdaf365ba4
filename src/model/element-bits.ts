import { TensorProto_DataType as T } from 'onnx-buf'
import type { ElementType } from '../core/tensor.ts'

/** Bits of one element, by ONNX data type; strings have none. Those under a byte lie packed, the last byte filled up. */
export const ELEMENT_BITS: Readonly<Record<number, number>> = {
  [T.FLOAT]: 32,
  [T.UINT8]: 8,
  [T.INT8]: 8,
  [T.UINT16]: 16,
  [T.INT16]: 16,
  [T.INT32]: 32,
  [T.INT64]: 64,
  [T.BOOL]: 8,
  [T.FLOAT16]: 16,
  [T.DOUBLE]: 64,
  [T.UINT32]: 32,
  [T.UINT64]: 64,
  [T.COMPLEX64]: 64,
  [T.COMPLEX128]: 128,
  [T.BFLOAT16]: 16,
  [T.FLOAT8E4M3FN]: 8,
  [T.FLOAT8E4M3FNUZ]: 8,
  [T.FLOAT8E5M2]: 8,
  [T.FLOAT8E5M2FNUZ]: 8,
  [T.UINT4]: 4,
  [T.INT4]: 4,
  [T.FLOAT4E2M1]: 4,
  [T.FLOAT8E8M0]: 8,
  [T.UINT2]: 2,
  [T.INT2]: 2
}

/** ONNX data type of each element type that may cross a cut. */
export const DATA_TYPE: Readonly<Record<ElementType, T>> = {
  float32: T.FLOAT,
  float64: T.DOUBLE,
  float16: T.FLOAT16,
  int8: T.INT8,
  uint8: T.UINT8,
  int16: T.INT16,
  uint16: T.UINT16,
  int32: T.INT32,
  uint32: T.UINT32,
  int64: T.INT64,
  uint64: T.UINT64,
  bool: T.BOOL,
  string: T.STRING
}

export const ELEMENT_TYPE_OF: ReadonlyMap<number, ElementType> = new Map(
  (Object.entries(DATA_TYPE) as [ElementType, T][]).map(([type, dataType]) => [dataType, type])
)
