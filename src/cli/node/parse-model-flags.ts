import { parseModelReference } from '../../core/model-reference.ts'
import { nearest } from '../../core/nearest.ts'
import { parseTime } from '../../core/parse-quantity.ts'
import type { Seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { parseWeightChoice, type WeightChoice } from '../../core/weight-choice.ts'
import type { FlagProblems } from '../config/flag-problems.ts'
import type { NodeFlags } from './node-flags.ts'
import type { NodeOptions } from './node-options.ts'
import { parseNumber } from './parse-number.ts'

type ModelOptions = Pick<
  NodeOptions,
  'models' | 'shapes' | 'maxBlocks' | 'cutAt' | 'weights' | 'work' | 'times' | 'pinned'
>
type ModelFile = ModelOptions['models'][number]

/** What flags say of models: which this device owns, and how they are cut, timed and kept. */
export const parseModelFlags = (flags: NodeFlags, problems: FlagProblems): ModelOptions => {
  const { model: own } = flags
  /** Of each value what it says; those that are wrong are noted. */
  const each = <T>(flag: string, texts: readonly string[], parse: (text: string) => T): T[] =>
    texts.flatMap(text => problems.check(flag, text, (): T[] => [parse(text)], []))
  const models: ModelFile[] = []
  for (const text of own) problems.check('model', text, () => models.push(distinct(parseModel(text), models)), 0)
  return {
    models,
    shapes: flags.shape,
    maxBlocks: new Map([['', DEFAULT_BLOCKS], ...each('blocks', flags.blocks, text => parseBlocks(text, own))]),
    cutAt: new Map(each('cut-at', flags.cutAt, text => parseCutAt(text, own))),
    weights: new Map(each('weights', flags.weights, text => parseWeights(text, own))),
    work: new Map(
      each('work', flags.work, text => {
        const [model, work] = parseTimes('--work', text)
        return [ownName('--work', model, own), work] as const
      })
    ),
    times: new Map(each('times', flags.times, text => parseTimes('--times', text))),
    pinned: each('pinned', flags.pinned, text => ownName('--pinned', text, own))
  }
}

const DEFAULT_BLOCKS = 12

/** N for all models, or MODEL=N. */
const parseBlocks = (text: string, models: readonly string[]): [string, number] => {
  const [, model, count] = /^(?:([^=]+)=)?(.*)$/.exec(text)!
  return [
    model === undefined ? '' : ownName('--blocks', model, models),
    parseNumber('--blocks', count!, { least: 1, most: 256, isWhole: true })
  ]
}

/** FORMAT for all models, or MODEL=FORMAT; with blocks behind an @. */
const parseWeights = (text: string, models: readonly string[]): [string, WeightChoice] => {
  const [, model, choice] = /^(?:([^=]+)=)?(.*)$/.exec(text)!
  const name = model === undefined ? '' : ownName('--weights', model, models)
  try {
    return [name, parseWeightChoice(choice!)]
  } catch (error) {
    throw new UserError(`--weights ${(error as Error).message}`)
  }
}

/** MODEL=TENSOR,TENSOR. */
const parseCutAt = (text: string, models: readonly string[]): [string, readonly string[]] => {
  const [, model, tensors] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (model === undefined || tensors === undefined)
    throw new UserError(`--cut-at "${text}" is not MODEL=TENSOR,TENSOR; write for example --cut-at ocr=relu_3,relu_7`)
  return [ownName('--cut-at', model, models), tensors.split(',')]
}

/** No block takes nothing, and none takes longer than anybody waits. */
const blockTime = (text: string): Seconds => {
  const time = parseTime(text)
  if (time > 0 && time <= 86_400) return time
  throw new RangeError(`"${text}" is not the time of a block: above 0 and at most 24h`)
}

/** MODEL=TIME,TIME. */
const parseTimes = (flag: string, text: string): [string, readonly Seconds[]] => {
  const [, model, times] = /^([^=]+)=(.+)$/.exec(text) ?? []
  try {
    if (model !== undefined && times !== undefined) return [model, times.split(',').map(blockTime)]
  } catch (error) {
    throw new UserError(`${flag} "${text}": ${(error as Error).message}`)
  }
  throw new UserError(`${flag} "${text}" is not MODEL=TIME,TIME; write for example ${flag} ocr=20ms,35ms`)
}

/** Of a model that this device owns: its owner alone says how it is cut, and where its blocks may run. */
const ownName = (flag: string, model: string, models: readonly string[]): string => {
  const names = models.map(text => parseModel(text).name)
  if (names.includes(model)) return model
  const near = nearest(model, names)
  const known = names.length === 0 ? '' : ` (its models: ${names.join(', ')})`
  throw new UserError(
    `${flag} "${model}" is no model of this device${known}; ${near === undefined ? `add --model FILE:${model}` : `did you mean ${near}?`}`
  )
}

/**
 * A name means one model. Names that differ in case only would share a folder of results, or a person's reading of them.
 * @throws UserError that names both files
 */
const distinct = (model: ModelFile, before: readonly ModelFile[]): ModelFile => {
  const { name: here, file } = model
  const other = before.find(({ name }) => name.toLowerCase() === here.toLowerCase())
  if (other === undefined) return model
  const same = other.name === here ? `both are called ${here}` : `${other.name} and ${here} differ in case only`
  throw new UserError(
    `--model ${other.file} and --model ${file}: ${same}; give one another name: --model ${file}:${here}-2`
  )
}

/** FILE or FILE:name, or FILE:name@fingerprint of a file that is to be no other. A single letter before the colon is a drive, not a file. */
const parseModel = (text: string): ModelFile => {
  const match = /^(.{2,}):([^/\\:]+)$/.exec(text)
  const file = match?.[1] ?? text
  const { name, fingerprint } = parseModelReference(match?.[2] ?? file.replace(/^.*[/\\]/, '').replace(/\.onnx$/, ''))
  return { file, name, ...(fingerprint === undefined ? {} : { fingerprint }) }
}
