import { hostname } from 'node:os'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import { NAME_PATTERN, NAME_WORDS } from '../../core/name-pattern.ts'
import { nearest } from '../../core/nearest.ts'
import { parseSize, parseTime } from '../../core/parse-quantity.ts'
import { type Bytes, bytes, type Seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { parseEmulatedLink } from '../../emulation/emulated-link.ts'
import { EmulatedLinks } from '../../emulation/emulated-links.ts'
import { DEFAULT_PORT } from '../../runtime/network/default-port.ts'
import { isPolicyName, POLICY_NAMES, type PolicyName } from '../../scheduler/policies.ts'
import { parseEncodingChoice } from '../parse-encoding-choice.ts'

/** The flags of `tributary node` as commander hands them over. */
export interface NodeFlags {
  readonly name?: string
  readonly listen: string[]
  readonly port?: string
  readonly anyPort?: boolean
  readonly join: string[]
  readonly joinFile: string[]
  readonly printInvite?: boolean
  readonly clusterKey?: string
  readonly mdns: boolean
  readonly memory?: string
  readonly speed?: string
  readonly speedIsReal?: true | string
  readonly threads: string
  readonly model: string[]
  readonly shape: string[]
  readonly blocks: string[]
  readonly cutAt: string[]
  readonly work: string[]
  readonly times: string[]
  readonly pinned: string[]
  readonly source: string[]
  readonly preset?: string
  readonly io?: string
  readonly sink?: string
  readonly policy: string
  readonly activationEncoding: string
  readonly keepModels: string
  readonly state?: string
  readonly emulateLink: string[]
  readonly startWhen: string
  readonly seed: string
  readonly exitWhenDone?: boolean
  readonly exitWithParent?: boolean
  readonly controlled?: boolean
  readonly trace?: string
  readonly jsonEvents?: boolean
  readonly json?: boolean
}

export interface NodeOptions {
  readonly name: string
  /** Empty: everywhere, on `port`. */
  readonly listen: readonly string[]
  /** 0: any. */
  readonly port: number
  /** `port`, or the next one that is free. */
  readonly anyPort: boolean
  readonly join: readonly string[]
  readonly joinFiles: readonly string[]
  /** Tell it also where nobody may be looking: in logs and events. */
  readonly printInvite: boolean
  readonly clusterKey: string | undefined
  readonly mdns: boolean
  readonly memory: Bytes
  readonly speed: number
  /** This machine has that speed: runs are not slowed down. */
  readonly speedIsReal: boolean
  /** A control group's file of threads: the quota there gives the speed. */
  readonly laneGroup: string | undefined
  readonly emulated: boolean
  readonly threads: number
  readonly models: readonly { readonly file: string; readonly name: string }[]
  readonly shapes: readonly string[]
  /** By model; for all others under the empty name. */
  readonly maxBlocks: ReadonlyMap<string, number>
  /** Tensors at which a model is to be cut, by its name. */
  readonly cutAt: ReadonlyMap<string, readonly string[]>
  /** Declared times of blocks at speed 1, by model. */
  readonly work: ReadonlyMap<string, readonly Seconds[]>
  /** Declared times of blocks on this device at speed 1, by model. */
  readonly times: ReadonlyMap<string, readonly Seconds[]>
  /** Own models whose first block runs on the devices of their sources. */
  readonly pinned: readonly string[]
  readonly sources: readonly string[]
  readonly preset: string | undefined
  readonly io: string | undefined
  readonly sink: string | undefined
  readonly policy: PolicyName
  readonly activationEncoding: EncodingChoice
  /** A model that nobody owns and no source uses leaves the cluster after so long. */
  readonly keepModels: Seconds
  readonly state: string | undefined
  readonly links: EmulatedLinks
  readonly startWhen: number
  readonly seed: string
  readonly exitWhenDone: boolean
  readonly exitWithParent: boolean
  /** Orders come as JSON lines on standard input. */
  readonly controlled: boolean
  /** File for what this device did. */
  readonly trace: string | undefined
  readonly jsonEvents: boolean
  readonly json: boolean
}

/** @throws UserError that names the flag, the value, the limit and the remedy */
export const parseNodeOptions = (flags: NodeFlags): NodeOptions => {
  const links = new EmulatedLinks(flags.emulateLink.map(parseEmulatedLink), {
    isFreeForBlobs: flags.controlled === true
  })
  const speed = flags.speed === undefined ? 1 : number('--speed', flags.speed, { least: 1e-6, most: 1 })
  const readsFiles = flags.source.some(source => !/^[^=,]*=synthetic:/.test(source))
  if (readsFiles && flags.preset === undefined && flags.io === undefined) {
    throw new UserError(
      '--source needs to know how files become tensors: add --preset ppocr-rec|imagenet|raw or --io FILE'
    )
  }
  if (flags.preset !== undefined && flags.io !== undefined)
    throw new UserError('--preset and --io exclude each other: keep one')
  if (flags.source.length > 0 && flags.sink === undefined)
    throw new UserError('--source needs --sink FILE.jsonl for its results')
  if (flags.listen.length > 0 && (flags.port !== undefined || flags.anyPort === true))
    throw new UserError('--listen names a port already: leave --port and --any-port out')
  if (flags.join.includes('-') && flags.controlled === true)
    throw new UserError('--join - and --controlled both read standard input: use --join-file')
  return {
    name: name(flags.name ?? hostname()),
    listen: flags.listen,
    port: number('--port', flags.port ?? String(DEFAULT_PORT), { least: 0, most: 65_535, isWhole: true }),
    anyPort: flags.anyPort === true,
    join: flags.join,
    joinFiles: flags.joinFile,
    printInvite: flags.printInvite === true,
    clusterKey: flags.clusterKey,
    mdns: flags.mdns,
    memory: flags.memory === undefined ? bytes(Number.POSITIVE_INFINITY) : size('--memory', flags.memory),
    speed,
    speedIsReal: flags.speedIsReal !== undefined,
    laneGroup: typeof flags.speedIsReal === 'string' ? flags.speedIsReal : undefined,
    emulated: flags.speed !== undefined || flags.times.length > 0 || !links.isEmpty,
    threads: number('--threads', flags.threads, { least: 1, most: 256, isWhole: true }),
    models: distinct(flags.model.map(parseModel)),
    shapes: flags.shape,
    maxBlocks: new Map([['', DEFAULT_BLOCKS], ...flags.blocks.map(text => parseBlocks(text, flags.model))]),
    cutAt: new Map(flags.cutAt.map(text => parseCutAt(text, flags.model))),
    work: new Map(
      flags.work
        .map(text => parseTimes('--work', text))
        .map(([model, work]) => [ownName('--work', model, flags.model), work])
    ),
    times: new Map(flags.times.map(text => parseTimes('--times', text))),
    pinned: flags.pinned.map(model => ownName('--pinned', model, flags.model)),
    sources: flags.source,
    preset: flags.preset,
    io: flags.io,
    sink: flags.sink,
    policy: policy(flags.policy),
    activationEncoding: parseEncodingChoice(flags.activationEncoding),
    keepModels: time('--keep-models', flags.keepModels),
    state: flags.state,
    links,
    startWhen: number('--start-when', flags.startWhen, { least: 1, most: 10_000, isWhole: true }),
    seed: flags.seed,
    exitWhenDone: flags.exitWhenDone === true,
    exitWithParent: flags.exitWithParent === true,
    controlled: flags.controlled === true,
    trace: flags.trace,
    jsonEvents: flags.jsonEvents === true,
    json: flags.json === true
  }
}

interface Range {
  readonly least: number
  readonly most: number
  readonly isWhole?: boolean
}

const number = (flag: string, text: string, { least, most, isWhole = false }: Range): number => {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value
  throw new UserError(`${flag} "${text}" must be ${isWhole ? 'a whole number' : 'a number'} from ${least} to ${most}`)
}

const size = (flag: string, text: string): Bytes => {
  try {
    return parseSize(text)
  } catch (error) {
    throw new UserError(`${flag}: ${(error as Error).message}`)
  }
}

const time = (flag: string, text: string): Seconds => {
  try {
    return parseTime(text)
  } catch (error) {
    throw new UserError(`${flag}: ${(error as Error).message}`)
  }
}

const name = (text: string): string => {
  if (NAME_PATTERN.test(text)) return text
  throw new UserError(`--name "${text}": ${NAME_WORDS}`)
}

const policy = (text: string): PolicyName => {
  if (isPolicyName(text)) return text
  const near = nearest(text, POLICY_NAMES)
  const meant = near === undefined ? '' : ` (did you mean ${near}?)`
  throw new UserError(`--policy "${text}" is not a policy${meant}; known: ${POLICY_NAMES.join(', ')}`)
}

const DEFAULT_BLOCKS = 12

/** N for all models, or MODEL=N. */
const parseBlocks = (text: string, models: readonly string[]): [string, number] => {
  const [, model, count] = /^(?:([^=]+)=)?(.*)$/.exec(text)!
  return [
    model === undefined ? '' : ownName('--blocks', model, models),
    number('--blocks', count!, { least: 1, most: 256, isWhole: true })
  ]
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
const distinct = (models: NodeOptions['models']): NodeOptions['models'] => {
  for (const [i, { name: here, file }] of models.entries()) {
    const other = models.slice(0, i).find(model => model.name.toLowerCase() === here.toLowerCase())
    if (other === undefined) continue
    const same = other.name === here ? `both are called ${here}` : `${other.name} and ${here} differ in case only`
    throw new UserError(
      `--model ${other.file} and --model ${file}: ${same}; give one another name: --model ${file}:${here}-2`
    )
  }
  return models
}

/** FILE or FILE:name. A single letter before the colon is a drive, not a file. */
const parseModel = (text: string): { file: string; name: string } => {
  const match = /^(.{2,}):([^/\\:]+)$/.exec(text)
  const file = match?.[1] ?? text
  return { file, name: match?.[2] ?? file.replace(/^.*[/\\]/, '').replace(/\.onnx$/, '') }
}
