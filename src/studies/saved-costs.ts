import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { arch, cpus } from 'node:os'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { describeFileError } from '../core/describe-file-error.ts'
import { describeIssue } from '../core/describe-issue.ts'
import { UserError } from '../core/user-error.ts'

const amount = z.number().min(0).max(1e15)

/** What the blocks of one model file cost. Seconds, bytes. */
const measuredSchema = z.strictObject({
  /** For people. */
  file: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
  /** In order, like "x=1x3x48x320". */
  shapes: z.array(z.string()),
  maxBlocks: z.int().min(1).max(4096),
  threads: z.int().min(1),
  runs: z.int().min(1),
  blocks: z
    .array(z.strictObject({ seconds: amount, bytes: amount }))
    .min(1)
    .max(4096),
  activations: z.array(amount),
  unencodable: z.array(amount)
})

const savedSchema = z.strictObject({
  costs: z.literal(1, { error: 'must be 1: the form that profile writes' }),
  machine: z.string().min(1),
  models: z
    .array(
      measuredSchema.refine(
        ({ blocks, activations, unencodable }) =>
          activations.length === blocks.length + 1 && unencodable.length === activations.length,
        'activations and unencodable must be one more than the blocks'
      )
    )
    .min(1)
})

export type MeasuredModel = z.infer<typeof measuredSchema>
/** What `profile` saves: one machine, any number of models. `origin` is what messages call the file. */
export type SavedCosts = z.infer<typeof savedSchema> & { readonly file: string; readonly origin: string }

const MAX_BYTES = 64 * 2 ** 20

/** What times depend on: the processor and how many there are of it. */
export const thisMachine = (): string => `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${arch()}`

export const digestOf = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(file), hash)
  } catch (error) {
    throw new UserError(`${file}: ${describeFileError(error)}`)
  }
  return hash.digest('hex')
}

/**
 * @param option that names the file, for messages
 * @throws UserError where it is no such file, or was measured on another machine
 */
export const readCosts = async (file: string, option: string): Promise<SavedCosts> => {
  const written = await parsedFile(file, option)
  const parsed = savedSchema.safeParse(written)
  if (!parsed.success)
    throw unusable(file, option, describeIssue(parsed.error.issues[0]!, { knownKeys: () => [], written }))
  const { machine } = parsed.data
  if (machine !== thisMachine())
    throw new UserError(
      `${option} ${file}: machine: measured on "${machine}", and speeds are relative to this machine, "${thisMachine()}"; measure here, into another file`,
      { code: 'otherMachine', facts: { file, machine } }
    )
  return { ...parsed.data, file, origin: `${option} ${file}` }
}

const unusable = (file: string, option: string, because: string): UserError =>
  new UserError(`${option} ${file}: ${because}; write it anew`, { code: 'costsUnusable', facts: { file } })

const parsedFile = async (file: string, option: string): Promise<unknown> => {
  try {
    const { size } = await stat(file)
    if (size > MAX_BYTES) throw unusable(file, option, `${size} bytes; saved costs have at most ${MAX_BYTES}`)
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (error instanceof UserError) throw error
    throw unusable(file, option, error instanceof SyntaxError ? 'not JSON' : describeFileError(error))
  }
}

/** The costs of a file are there already, for another model or shape: they stay. @throws UserError as `readCosts` does */
export const writeCosts = async (file: string, option: string, measured: MeasuredModel): Promise<void> => {
  const known = await stat(file).then(
    () => readCosts(file, option),
    () => undefined
  )
  const others = (known?.models ?? []).filter(model => keyOf(model) !== keyOf(measured))
  const saved = { costs: 1, machine: thisMachine(), models: [...others, measured] }
  const fresh = `${file}.${process.pid}.new`
  try {
    await writeFile(fresh, `${JSON.stringify(saved, null, 1)}\n`)
    await rename(fresh, file)
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {})
    throw new UserError(`${option} ${file}: ${describeFileError(error)}; name a file in a folder that can be written`)
  }
}

interface Wanted {
  readonly file: string
  readonly shapes: readonly string[]
  readonly maxBlocks: number
}

const keyOf = ({ sha256, shapes, maxBlocks }: Pick<MeasuredModel, 'sha256' | 'shapes' | 'maxBlocks'>): string =>
  JSON.stringify([sha256, shapes.toSorted(), maxBlocks])

/**
 * What was measured of a scenario's model.
 * @param where for messages, like "models.ocr"
 * @throws UserError that says what the saved costs have instead, and how to measure what is missing
 */
export const findCosts = async (
  saved: readonly SavedCosts[],
  { file, shapes, maxBlocks }: Wanted,
  where: string
): Promise<MeasuredModel> => {
  const sha256 = await digestOf(file)
  const all = saved.flatMap(({ models }) => models)
  const found = all.find(model => keyOf(model) === keyOf({ sha256, shapes: [...shapes], maxBlocks }))
  if (found !== undefined) return found
  const { origin, file: costs } = saved[0]!
  const there = whatIsThere(all, { sha256, file, shapes, maxBlocks })
  throw new UserError(`${origin}: ${where}: ${there}; measure it`, {
    code: 'costsMissing',
    facts: { costs, model: file, shapes, maxBlocks }
  })
}

const whatIsThere = (
  all: readonly MeasuredModel[],
  { sha256, file, shapes, maxBlocks }: Wanted & { readonly sha256: string }
): string => {
  const wanted = `shape ${shapes.join(' ') || 'none'}, at most ${maxBlocks} blocks`
  const same = all.filter(model => model.sha256 === sha256)
  if (same.length > 0) {
    const others = same.map(model => `shape ${model.shapes.join(' ') || 'none'}, at most ${model.maxBlocks} blocks`)
    return `has ${file} with ${others.slice(0, 4).join(' and ')}, not with ${wanted}`
  }
  const namesake = all.find(model => baseOf(model.file) === baseOf(file))
  if (namesake !== undefined)
    return `sha256 of ${file} is ${sha256.slice(0, 12)}…, and what was measured is another version of it, ${namesake.sha256.slice(0, 12)}…`
  return `${file} (sha256 ${sha256.slice(0, 12)}…) is not among what was measured: ${all.map(model => baseOf(model.file)).join(', ')}`
}

const baseOf = (path: string): string => path.replace(/^.*[/\\]/, '')
