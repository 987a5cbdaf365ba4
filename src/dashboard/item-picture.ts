import type { SharpOptions } from 'sharp'
import type { FilePath } from '../runtime/io/file-path.ts'
import type { LiveItem } from '../runtime/io/live-item.ts'
import { loadSharp } from '../runtime/io/load-sharp.ts'
import { readRegularFile } from '../runtime/io/read-regular-file.ts'
import type { Item } from '../runtime/ports/data-port.ts'

export interface Picture {
  /** WebP. */
  readonly bytes: Uint8Array
  /** Of the picture that it was made of, as people see it: turned as its EXIF data says. */
  readonly width: number
  readonly height: number
}

/** Pixels of the longer side. */
const SIDE = 800
const MOST_BYTES = 64 * 2 ** 20
const MOST_PIXELS = 1e8
const IMAGE = /\.(?:jpe?g|png|webp|gif|tiff?|avif|bmp)$/i

/** Whether there is one to show, as far as can be told without reading it. */
export const hasPicture = (item: Item): boolean => {
  const content = contentOf(item)
  return content?.kind === 'file' ? IMAGE.test(item.name) : content?.kind === 'image' || content?.kind === 'frame'
}

/** A small one of what an item was made of. @throws UserError where its file is gone, or it is none that can be read */
export const itemPicture = async (item: Item): Promise<Picture> => {
  const sharp = await loadSharp('a picture of a datum')
  const image = sharp(...(await inputOf(item))).autoOrient()
  const { autoOrient } = await image.metadata()
  const bytes = await image
    .flatten({ background: 'white' })
    .resize({ width: SIDE, height: SIDE, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .webp({ quality: 72 })
    .toBuffer()
  return { bytes, width: autoOrient.width, height: autoOrient.height }
}

const contentOf = (item: Item): LiveItem['content'] | undefined => {
  if ('content' in item) return (item as LiveItem).content
  return 'path' in item && item.path !== '' ? { kind: 'file', path: item.path as FilePath } : undefined
}

const inputOf = async (item: Item): Promise<[Uint8Array, SharpOptions]> => {
  const content = contentOf(item)
  switch (content?.kind) {
    case 'image':
      return [content.bytes, { limitInputPixels: MOST_PIXELS }]
    case 'frame': {
      const { pixels, width, height, channels } = content.frame
      return [pixels, { raw: { width, height, channels } }]
    }
    case 'file':
      return [
        await readRegularFile(content.path, MOST_BYTES, '64 MiB, the most that is shown'),
        { limitInputPixels: MOST_PIXELS }
      ]
    default:
      throw new Error(`${item.name} is no picture`)
  }
}
