import type { Tensor } from '../../core/tensor.ts'
import type { DataPort } from '../ports/data-port.ts'
import type { ItemStamp } from '../ports/item-stamp.ts'
import type { FileItem } from './file-item.ts'

/** A port whose items are what is in a folder. */
export interface FolderPort extends DataPort {
  /**
   * The items of a folder, in name order.
   * @param say is told what is passed over
   * @param where names the folder in messages. @default source dir:FOLDER
   * @throws ItemUnavailable when there is no such folder, or nothing in it
   */
  list(folder: string, say?: (text: string) => void, where?: string): Promise<readonly FileItem[]>
  read(item: FileItem): Promise<readonly Tensor[]>
  stamp(item: FileItem): Promise<ItemStamp>
  write(item: FileItem, outputs: readonly Tensor[], datum?: number): Promise<unknown>
}
