import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../core/user-error.ts'
import { TEXTS_FILE } from './render-images.ts'

/** The images of one source: files in `folder`, in name order, and the texts on them where they are known. */
export interface SourceImages {
  readonly source: string
  readonly folder: string
  readonly items: readonly string[]
  readonly truth: ReadonlyMap<string, string>
}

const textsSchema = z.record(z.string(), z.string())

/**
 * The images in `folder`: in a subfolder for each source; or, where those are missing, its own files dealt out in
 * turn (copied below `scratch`). True texts are read from texts.json in `folder`, keyed by path, when there is one.
 *
 * @throws UserError when the folder cannot be read or some source gets no image
 */
export const findImages = async (
  folder: string,
  sources: readonly string[],
  scratch: string
): Promise<SourceImages[]> => {
  const truth = await readTexts(folder)
  const subfolders = await Promise.all(sources.map(source => filesIn(join(folder, source)).catch(() => [])))
  const found = subfolders.every(files => files.length > 0)
    ? sources.map((source, i) => ({ source, folder: join(folder, source), items: subfolders[i]! }))
    : await deal(folder, sources, scratch)
  return found.map(images => ({
    ...images,
    truth: new Map(
      images.items.flatMap(item => {
        const text = truth[`${images.source}/${item}`] ?? truth[item]
        return text === undefined ? [] : [[item, text] as const]
      })
    )
  }))
}

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { withFileTypes: true }))
    .filter(entry => entry.isFile() && !entry.name.startsWith('.') && entry.name !== TEXTS_FILE)
    .map(entry => entry.name)
    .sort()

const deal = async (
  folder: string,
  sources: readonly string[],
  scratch: string
): Promise<Omit<SourceImages, 'truth'>[]> => {
  const files = await filesIn(folder).catch((error: Error) => {
    throw new UserError(`--images "${folder}": ${error.message}; give a folder of images`)
  })
  if (files.length < sources.length) {
    throw new UserError(
      `--images "${folder}" holds ${files.length} files and no folders ${sources.join(' and ')} with files in them; ` +
        `the demo needs at least one image for each of its ${sources.length} sources`
    )
  }
  return Promise.all(
    sources.map(async (source, i) => {
      const own = join(scratch, source)
      await mkdir(own, { recursive: true })
      const items = files.filter((_, k) => k % sources.length === i)
      for (const item of items) await copyFile(join(folder, item), join(own, item))
      return { source, folder: own, items }
    })
  )
}

const readTexts = async (folder: string): Promise<Readonly<Record<string, string>>> => {
  const file = join(folder, TEXTS_FILE)
  const text = await readFile(file, 'utf8').catch(() => '{}')
  try {
    return textsSchema.parse(JSON.parse(text))
  } catch {
    throw new UserError(
      `${file} is not a JSON object of texts by file name, like {"porch/a.png": "EXIT"}; mend or remove it`
    )
  }
}
