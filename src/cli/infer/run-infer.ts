import { basename } from 'node:path'
import { type Seconds, seconds } from '../../core/units.ts'
import { NoAnswerError, UserError } from '../../core/user-error.ts'
import { createDataPort } from '../../runtime/io/create-data-port.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import { PRESET_NAMES } from '../../runtime/io/presets.ts'
import { readIoSpec } from '../../runtime/io/read-io-spec.ts'
import { ItemUnavailable } from '../../runtime/ports/item-unavailable.ts'
import type { InferFlags } from '../infer-command.ts'
import { parseNumber } from '../node/parse-number.ts'
import type { Answerer } from './answerer.ts'
import { isFile, openInCluster } from './cluster-answerer.ts'
import { refuseOddInfer } from './refuse-odd-infer.ts'
import { isUrl, openRemote } from './remote-answerer.ts'
import { within } from './within.ts'

type Answer = { readonly item: string } & ({ readonly result: unknown } | { readonly failed: string })

const MOST_FILES = 100_000
/** Elements of an output that are printed rather than written into a file. */
const MOST_PRINTED = 1000
/** Files under way. */
const AT_ONCE = 4

/** Ask a model about files and print what it says. @throws UserError for wrong use; exit code 1 where some have no answer */
export const runInfer = async (model: string, files: readonly string[], flags: InferFlags): Promise<void> => {
  const timeout = seconds(parseNumber('--timeout', flags.timeout, { least: 0.1, most: 86_400 }))
  if (files.length > MOST_FILES) throw new UserError(`${files.length} files are given; at most ${MOST_FILES} are taken`)
  refuseOddInfer(isUrl(model) ? 'url' : isFile(model) ? 'file' : 'name', flags)
  const spec = await specOf(flags)
  await using answerer = isUrl(model)
    ? await openRemote(model, { tokenFile: flags.tokenFile, timeout })
    : await openInCluster({ model, flags, spec, timeout })
  const isTold = flags.preset !== undefined || flags.io !== undefined
  const answers = await answerAll(answerer, spec, files, { resultsFolder: flags.out, timeout, isTold })
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ model: answerer.model, answers })}\n`)
  else process.stdout.write(answers.map(describe).join(''))
  if (answers.some(answer => 'failed' in answer)) process.exitCode = 1
}

/** Without a word on that, files are tensors, and small answers are printed. */
const specOf = async ({ preset, io }: InferFlags): Promise<IoSpec> => {
  if (preset !== undefined && io !== undefined) throw new UserError('--preset and --io exclude each other: keep one')
  if (io !== undefined) return readIoSpec({ ioFile: io })
  const spec = await readIoSpec({ preset: preset ?? 'raw' })
  return preset === undefined && spec.output.kind === 'npy'
    ? { ...spec, output: { ...spec.output, inline: MOST_PRINTED } }
    : spec
}

interface AnswerOptions {
  readonly resultsFolder: string
  readonly timeout: Seconds
  /** How files become tensors. */
  readonly isTold: boolean
}

const answerAll = async (
  answerer: Answerer,
  spec: IoSpec,
  files: readonly string[],
  { resultsFolder, timeout, isTold }: AnswerOptions
): Promise<readonly Answer[]> => {
  const { inputs, outputs } = answerer
  const port = createDataPort({ spec, inputs, outputs, resultsFolder, namesRepeat: true })
  const answers: Answer[] = []
  const answer = async (path: string, number: number): Promise<Answer> => {
    const item = { name: basename(path), path }
    try {
      const tensors = await port.read(item)
      const late = (): Error => new NoAnswerError(`no answer within ${timeout} s`)
      const computed = await within(timeout, () => answerer.compute(tensors), late)
      return { item: path, result: await port.write(item, computed, number) }
    } catch (error) {
      if (error instanceof UserError || error instanceof NoAnswerError)
        return { item: path, failed: whyNot(error, path, isTold) }
      throw error
    }
  }
  const numbered = files.entries()
  const work = async (): Promise<void> => {
    for (const [number, path] of numbered) answers[number] = await answer(path, number)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, work))
  return answers
}

/** The path stands before it already. */
const whyNot = (error: Error, path: string, isTold: boolean): string => {
  const { message } = error
  const why = message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message
  const isRead = error instanceof UserError && !(error instanceof ItemUnavailable)
  if (isTold || !isRead || /\.np[yz]$/i.test(path)) return why
  return `${why}; --preset says how other files are read (${PRESET_NAMES.join(', ')})`
}

const describe = (answer: Answer): string =>
  'failed' in answer
    ? `${answer.item}: no answer: ${answer.failed}\n`
    : `${answer.item}: ${typeof answer.result === 'string' ? answer.result : JSON.stringify(answer.result)}\n`
