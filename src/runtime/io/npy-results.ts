import { mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { elementCount, type Tensor } from '../../core/tensor.ts'
import { decodeStrings } from '../engine/string-elements.ts'
import { fileSafe } from './file-safe.ts'
import { encodeNpy } from './npy.ts'
import { numbersOf } from './tensor-numbers.ts'

export interface NpyResultOptions {
  /** Outputs of at most this many elements become JSON. */
  readonly inline: number
  /** Where larger ones become files: NAME.OUTPUT.npy. */
  readonly folder: string
  /** What their names begin with. */
  readonly name: string
}

export type NpyResult = Readonly<
  Record<
    string,
    { readonly type: string; readonly dims: readonly number[] } & (
      | { readonly data: unknown }
      | { readonly file: string }
    )
  >
>

/** Each output by name: its elements where they are few, else the file that holds them (written whole or not at all). */
export const writeNpyResults = async (
  outputs: readonly Tensor[],
  { inline, folder, name: beginning }: NpyResultOptions
): Promise<NpyResult> => {
  const result: Record<string, NpyResult[string]> = {}
  const endings = fileSafe(outputs.map(({ name }) => name))
  for (const [i, tensor] of outputs.entries()) {
    const { name, type, dims } = tensor
    const data = elementCount(dims) <= inline ? jsonOf(tensor) : undefined
    result[name] = {
      type,
      dims,
      ...(data === undefined ? { file: await writeNpy(`${beginning}.${endings[i]}.npy`, tensor, folder) } : { data })
    }
  }
  return result
}

const writeNpy = async (file: string, tensor: Tensor, folder: string): Promise<string> => {
  await mkdir(folder, { recursive: true })
  const path = join(folder, file)
  await writeFile(`${path}.part`, encodeNpy(tensor))
  await rename(`${path}.part`, path)
  return join(basename(folder), file)
}

/** Elements in row-major order, or undefined where JSON cannot hold them exactly (not a number, infinite, beyond 2^53). */
const jsonOf = (tensor: Tensor): unknown[] | undefined => {
  if (tensor.type === 'string') return decodeStrings(tensor.data)
  const numbers = Array.from(numbersOf(tensor))
  const exact = numbers.every(
    n => Number.isFinite(n) && (!Number.isInteger(n) || Number.isSafeInteger(n) || isFloat(tensor))
  )
  return exact ? numbers : undefined
}

const isFloat = ({ type }: Tensor): boolean => type.startsWith('float')
