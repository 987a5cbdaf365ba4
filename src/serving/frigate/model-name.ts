import { createHash } from 'node:crypto'

const MOST = 63
const DIGITS = 8

/**
 * What the cluster calls a model of Frigate's: the name of its file without its end. Where that has to be changed to be a name, a
 * few digits keep it apart from others.
 */
export const modelNameOf = (file: string): string => {
  const base = file
    .split(/[\\/]/)
    .at(-1)!
    .replace(/\.onnx$/i, '')
  const name = base.replace(/[^\p{L}\p{N}._-]/gu, '-').replace(/^[^\p{L}\p{N}]+/u, '')
  if (name === base && name.length <= MOST) return name
  const digits = createHash('sha256').update(file).digest('hex').slice(0, DIGITS)
  return `${name.slice(0, MOST - DIGITS - 1) || 'model'}-${digits}`
}
