import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import opentype, { type Font } from 'opentype.js'

/** Fonts come from packages (OFL or Apache licence): a machine without any font draws the same lines. */
export const FONT_FILES = [
  '@fontsource/lato/files/lato-latin-400-normal.woff',
  '@fontsource/lato/files/lato-latin-700-italic.woff',
  '@fontsource/crimson-text/files/crimson-text-latin-600-normal.woff',
  '@fontsource/courier-prime/files/courier-prime-latin-700-normal.woff',
  '@fontsource/oswald/files/oswald-latin-400-normal.woff',
  '@fontsource/share-tech-mono/files/share-tech-mono-latin-400-normal.woff',
  '@fontsource/special-elite/files/special-elite-latin-400-normal.woff'
] as const

const { resolve } = createRequire(import.meta.url)

export interface NamedFont {
  readonly name: string
  readonly font: Font
}

/** The fonts of the demo's text lines, always in the same order. */
export const loadFonts = (): Promise<NamedFont[]> =>
  Promise.all(
    FONT_FILES.map(async file => {
      const { buffer, byteOffset, byteLength } = await readFile(resolve(file))
      const bytes = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
      return { name: file.replace(/^.*\/|\.woff$/g, ''), font: opentype.parse(bytes) }
    })
  )
