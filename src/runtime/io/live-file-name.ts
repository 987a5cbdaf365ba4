import { basename } from 'node:path'
import type { Item } from '../ports/data-port.ts'

/** File systems take names of 255 bytes; what is put behind it, the output's name and `.npy.part`, has the rest. */
const MOST_BYTES = 160

/** What names of the files of a live item's results begin with: names of such items repeat, their numbers do not. */
export const liveFileName = ({ name }: Item, datum: number | undefined): string => {
  const own = basename(name).replaceAll('\0', '_')
  return cut(datum === undefined ? own : `${datum}-${own}`)
}

/** No character is cut in two. */
const cut = (text: string): string => {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(MOST_BYTES))
  return text.slice(0, read)
}
