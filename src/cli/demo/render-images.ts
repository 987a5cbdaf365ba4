import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRng } from '../../core/rng.ts'
import { loadFonts } from './fonts.ts'
import { renderLine } from './render-line.ts'
import { textLines } from './text-line.ts'

/** True texts by path ("porch/line-000.png"), beside the sources' folders. */
export const TEXTS_FILE = 'texts.json'

export interface RenderOptions {
  /** One folder of images for each of these. */
  readonly sources: readonly string[]
  readonly imagesPerSource: number
  readonly seed: string
}

/**
 * Draw text lines into `folder`/SOURCE/line-000.png ... and write what stands on them to `folder`/texts.json.
 * Same seed, same pixels; each source has lines and looks of its own.
 */
export const renderImages = async (folder: string, options: RenderOptions): Promise<void> => {
  const fonts = await loadFonts()
  const rng = createRng(options.seed)
  const texts: Record<string, string> = {}
  for (const source of options.sources) {
    await mkdir(join(folder, source), { recursive: true })
    const lines = textLines(rng.fork(`${source}/texts`), options.imagesPerSource)
    const draw = async (text: string, i: number): Promise<void> => {
      const path = `${source}/line-${String(i).padStart(3, '0')}.png`
      texts[path] = text
      await writeFile(join(folder, path), await renderLine(text, fonts, rng.fork(`${source}/look/${i}`)))
    }
    await Promise.all(lines.map(draw))
  }
  await writeFile(join(folder, TEXTS_FILE), `${JSON.stringify(texts, null, 2)}\n`)
}
