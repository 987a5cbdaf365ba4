import { describeFileError } from '../../core/describe-file-error.ts'
import { ItemUnavailable } from '../ports/item-unavailable.ts'
import { type FilePath, shownPath } from './file-path.ts'

/** An item whose file the operating system does not give: what it said. */
export const fileUnavailable = (path: FilePath, error: unknown): ItemUnavailable =>
  new ItemUnavailable(`${shownPath(path)}: ${describeFileError(error)}`)
