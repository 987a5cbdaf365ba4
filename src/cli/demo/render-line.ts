import opentype, { type Glyph, type Path } from 'opentype.js'
import type { Rng } from '../../core/rng.ts'
import { loadSharp } from '../../runtime/io/load-sharp.ts'
import type { NamedFont } from './fonts.ts'

/** How one line is drawn. Lengths in pixels, angle in degrees, grey levels 0 (black) to 255 (white). */
interface Look {
  readonly font: NamedFont
  readonly size: number
  readonly margin: { readonly x: number; readonly y: number }
  readonly angle: number
  readonly ink: readonly [number, number, number]
  readonly paper: readonly [number, number, number]
  readonly blur: number
  /** Standard deviation of the noise on every pixel and channel, in grey levels. */
  readonly noise: number
}

const between = (rng: Rng, low: number, high: number): number => low + (high - low) * rng.next()

const drawLook = (rng: Rng, fonts: readonly NamedFont[]): Look => {
  const size = between(rng, 28, 60)
  const dark = rng.next() < 0.3
  const paper = between(rng, 175, 250)
  const ink = paper - between(rng, 95, 165)
  const tinted = (grey: number): readonly [number, number, number] => {
    const tint = (): number => Math.round(Math.min(255, Math.max(0, grey + between(rng, -14, 14))))
    return [tint(), tint(), tint()]
  }
  return {
    font: fonts[Math.floor(rng.next() * fonts.length)]!,
    size,
    margin: { x: size * between(rng, 0.04, 0.16), y: size * between(rng, 0.08, 0.2) },
    angle: between(rng, -1.8, 1.8),
    ink: tinted(dark ? paper : ink),
    paper: tinted(dark ? ink : paper),
    blur: between(rng, 0.3, 0.8),
    noise: between(rng, 1, 9)
  }
}

/** No space narrower than this, in font sizes: signs are set wider than books. */
const LEAST_SPACE = 0.38

/**
 * Glyph by glyph with kerning. The library's own layout refuses fonts with substitution rules it does not know;
 * such a line needs none.
 */
const glyphPath = (text: string, { font }: NamedFont, size: number): Path => {
  const scale = size / font.unitsPerEm
  const path = new opentype.Path()
  let x = 0
  let before: Glyph | undefined
  for (const character of text) {
    const glyph = font.charToGlyph(character)
    if (before !== undefined) x += font.getKerningValue(before, glyph) * scale
    path.extend(glyph.getPath(x, 0, size))
    const advance = (glyph.advanceWidth ?? font.unitsPerEm / 2) * scale
    x += character === ' ' ? Math.max(advance, LEAST_SPACE * size) : advance
    before = glyph
  }
  return path
}

const outline = (text: string, look: Look): { svg: string; width: number; height: number } => {
  const path = glyphPath(text, look.font, look.size)
  const box = path.getBoundingBox()
  const width = Math.ceil(box.x2 - box.x1 + 2 * look.margin.x)
  // Room for the usual ascent and descent, so that "sea" and "Tel" stand at the same height on their plates.
  const height = Math.ceil(Math.max(box.y2 - box.y1, look.size * 0.8) + 2 * look.margin.y)
  const turn = `rotate(${look.angle.toFixed(2)} ${width / 2} ${height / 2})`
  const move = `translate(${width / 2 - (box.x1 + box.x2) / 2} ${height / 2 - (box.y1 + box.y2) / 2})`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<rect width="100%" height="100%" fill="rgb(${look.paper.join(',')})"/>
<g transform="${turn} ${move}" fill="rgb(${look.ink.join(',')})">${path.toSVG(2)}</g></svg>`
  return { svg, width, height }
}

/** Gaussian noise by Box and Muller (1958). */
const addNoise = (pixels: Uint8Array, deviation: number, rng: Rng): void => {
  for (let i = 0; i < pixels.length; i++) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - rng.next()))
    pixels[i] = Math.min(255, Math.max(0, pixels[i]! + radius * Math.cos(2 * Math.PI * rng.next())))
  }
}

/** Draw one line of text as a small photograph of it, PNG. Same rng, same pixels. */
export const renderLine = async (text: string, fonts: readonly NamedFont[], rng: Rng): Promise<Buffer> => {
  const look = drawLook(rng, fonts)
  const { svg, width, height } = outline(text, look)
  const sharp = await loadSharp('the demo')
  const pixels = await sharp(Buffer.from(svg)).removeAlpha().blur(look.blur).raw().toBuffer()
  addNoise(pixels, look.noise, rng)
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
}
