/** In what the weights of a block may be stored, instead of float32. */
export const WEIGHT_FORMATS = ['fp16', 'int8'] as const
export type WeightFormat = (typeof WEIGHT_FORMATS)[number]

/** How an owner has the weights of a model stored. */
export interface WeightChoice {
  readonly format: WeightFormat
  /** Undefined: of all blocks. Ascending. */
  readonly blocks?: readonly number[]
}

const MOST_BLOCKS = 10_000

/** FORMAT, or FORMAT@BLOCKS, like `int8@0-2,5`. @throws RangeError that says what it may be */
export const parseWeightChoice = (text: string): WeightChoice => {
  const [, name, ranges] = /^(\w+)(?:@(.+))?$/.exec(text) ?? []
  const format = WEIGHT_FORMATS.find(known => known === name)
  if (format === undefined)
    throw new RangeError(`"${text}" is not ${WEIGHT_FORMATS.join(' or ')}, with blocks behind an @: int8@0-2,5`)
  if (ranges === undefined) return { format }
  const blocks = ranges.split(',').flatMap(range => blocksIn(range, text))
  return { format, blocks: [...new Set(blocks)].sort((a, b) => a - b) }
}

const blocksIn = (range: string, text: string): number[] => {
  const [, first, last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(range) ?? []
  const [from, to] = [Number(first), Number(last)]
  if (first === undefined || to < from || to >= MOST_BLOCKS)
    throw new RangeError(`"${text}": "${range}" is no block and no range of blocks like 0-2`)
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

/** Of block `k`; undefined: as the model has it. */
export const weightFormatOf = (choice: WeightChoice | undefined, k: number): WeightFormat | undefined =>
  choice !== undefined && (choice.blocks === undefined || choice.blocks.includes(k)) ? choice.format : undefined

/** As it is parsed. */
export const describeWeightChoice = ({ format, blocks }: WeightChoice): string =>
  blocks === undefined ? format : `${format}@${blocks.join(',')}`

/** Where all that it asks for is stored as it was. */
export const describeNoneStored = (choice: WeightChoice): string =>
  `no weight could be stored as ${describeWeightChoice(choice)}: those of few numbers, of models older than ONNX IR 4 and those that a caller may set stay as they are`
