import type { ImageInput, IoSpec } from './io-spec.ts'

/** Which of the model's inputs the image fills: the one that is named, else the first of which nothing else is said. */
export const imageInput = <Input extends { readonly name: string }>(
  { inputs: others }: Pick<IoSpec, 'inputs'>,
  { name }: ImageInput,
  inputs: readonly Input[]
): Input | undefined =>
  inputs.find(input => (name === undefined ? !Object.hasOwn(others, input.name) : input.name === name))
