import type { Tensor, TensorSpec } from '../core/tensor.ts'
import { UserError } from '../core/user-error.ts'
import { declaredInputs } from '../model/declared-inputs.ts'
import type { OnnxFile } from '../model/onnx-file.ts'

/**
 * What `--inputs` names, as one datum or several: FILE.npy for a model of one input, INPUT=FILE.npy else; an input named
 * again begins the next datum.
 * @returns undefined when nothing is named
 * @throws UserError naming what is missing, unknown or does not fit
 */
export const readVerifyInputs = async (
  file: OnnxFile,
  texts: readonly string[]
): Promise<readonly (readonly Tensor[])[] | undefined> => {
  if (texts.length === 0) return undefined
  const { readNpyInput } = await import('../runtime/io/npy-inputs.ts')
  const specs = declaredInputs(file).map((declared): TensorSpec => ({ ...declared, shape: declared.shape ?? [] }))
  const given = new Map<TensorSpec, Tensor[]>(specs.map(spec => [spec, []]))
  for (const text of texts) {
    const { spec, path } = parse(text, specs)
    given.get(spec)!.push(await readNpyInput(path, spec))
  }
  const data = Math.max(...[...given.values()].map(tensors => tensors.length))
  for (const [{ name }, tensors] of given) {
    if (tensors.length === data) continue
    throw new UserError(
      `--inputs: ${tensors.length} files for input "${name}", ${data} for another; add --inputs ${name}=FILE.npy`
    )
  }
  return Array.from({ length: data }, (_, i) => [...given.values()].map(tensors => tensors[i]!))
}

const parse = (text: string, specs: readonly TensorSpec[]): { readonly spec: TensorSpec; readonly path: string } => {
  // Names of inputs and of files may hold an equals sign: the longest input that fits is meant.
  const named = specs.filter(({ name }) => text.startsWith(`${name}=`)).sort((a, b) => b.name.length - a.name.length)[0]
  if (named !== undefined) return { spec: named, path: text.slice(named.name.length + 1) }
  if (specs.length === 1) return { spec: specs[0]!, path: text }
  const names = specs.map(({ name }) => name).join(', ')
  throw new UserError(
    specs.length === 0
      ? `--inputs ${text}: the model has no inputs; leave it out`
      : `--inputs ${text}: say for which input, like ${specs[0]!.name}=${text}; the model's inputs: ${names}`
  )
}
