import type { Item } from '../ports/data-port.ts'
import type { FilePath } from './file-path.ts'

/** An item that is a file, or several that differ in their endings. Its name: the path relative to its folder, `\xHH` for bytes that are not UTF-8. */
export interface FileItem extends Item {
  readonly path: FilePath
}
