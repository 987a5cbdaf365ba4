import type { ElementType } from '../core/tensor.ts'

/** Types of elements by the protocol's names; BF16 is none that a model is fed with here, and is widened. */
export const ELEMENT_OF = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string'
} as const satisfies Record<string, ElementType>

export type Datatype = keyof typeof ELEMENT_OF

const NAMES = Object.fromEntries(Object.entries(ELEMENT_OF).map(([name, type]) => [type, name])) as Readonly<
  Record<ElementType, Datatype>
>

export const datatypeOf = (type: ElementType): Datatype => NAMES[type]

export const isDatatype = (text: string): text is Datatype => Object.hasOwn(ELEMENT_OF, text)

/** In a model's configuration. */
const CONFIG_NUMBERS: Readonly<Record<Datatype, number>> = {
  ...{ BOOL: 1, UINT8: 2, UINT16: 3, UINT32: 4, UINT64: 5, INT8: 6, INT16: 7, INT32: 8, INT64: 9 },
  ...{ FP16: 10, FP32: 11, FP64: 12, BYTES: 13 }
}

export const configNumberOf = (type: ElementType): number => CONFIG_NUMBERS[datatypeOf(type)]

export const configNameOf = (type: ElementType): string =>
  type === 'string' ? 'TYPE_STRING' : `TYPE_${datatypeOf(type)}`
