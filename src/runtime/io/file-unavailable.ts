import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { type FilePath, shownPath } from './file-path.ts'

/** A file that is not there or cannot be read at present: it may be again, so nothing is said of what is in it. */
export class FileUnavailable extends UserError {
  static of(path: FilePath, error: unknown): FileUnavailable {
    return new FileUnavailable(`${shownPath(path)}: ${describeFileError(error)}`)
  }
}
