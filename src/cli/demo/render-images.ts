import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRng } from '../../core/rng.ts'
import { loadFonts } from './fonts.ts'
import { renderLine } from './render-line.ts'
import { textLines } from './text-line.ts'

/** True texts by file name, written beside the images they belong to. */
export type TrueTexts = Readonly<Record<string, string>>

export const TEXTS_FILE = 'texts.json'

export interface RenderOptions {
  /** One folder of images for each of these. */
  readonly sources: readonly string[]
  readonly imagesPerSource: number
  readonly seed: string
}

/**
 * Draw text lines into `folder`/SOURCE/line-000.png ... and their true texts into `folder`/SOURCE/texts.json.
 * Same seed, same pixels; the sources' lines differ from each other.
 */
export const renderImages = async (folder: string, options: RenderOptions): Promise<void> => {
  const fonts = await loadFonts()
  const rng = createRng(options.seed)
  for (const source of options.sources) {
    await mkdir(join(folder, source), { recursive: true })
    const texts: Record<string, string> = {}
    for (const [i, text] of textLines(rng.fork(`${source}/texts`), options.imagesPerSource).entries()) {
      const file = `line-${String(i).padStart(3, '0')}.png`
      const { png } = await renderLine(text, fonts, rng.fork(`${source}/look/${i}`))
      await writeFile(join(folder, source, file), png)
      texts[file] = text
    }
    await writeFile(join(folder, source, TEXTS_FILE), `${JSON.stringify(texts, null, 2)}\n`)
  }
}
