import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describeFileError } from '../core/describe-file-error.ts'
import { ServingError } from './serving-error.ts'

/** Files of models that clients brought, each for as long as its model is loaded. */
export class Uploads {
  /** Made when the first comes. */
  readonly #folder: string
  readonly #folders = new Map<string, Set<string>>()
  /** That have been brought. */
  #count = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Beside what is loaded by that name, which keeps its own. @returns where it is @throws ServingError */
  async keep(name: string, bytes: Uint8Array): Promise<string> {
    const folder = join(this.#folder, String(++this.#count))
    const file = join(folder, `${name}.onnx`)
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(file, bytes, { mode: 0o600 })
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw new ServingError('internal', `'${name}' cannot be kept here: ${describeFileError(error)}`)
    }
    this.#folders.set(name, (this.#folders.get(name) ?? new Set()).add(folder))
    return file
  }

  /** All of that name. @param but this one: it is loaded */
  async drop(name: string, but?: string): Promise<void> {
    const folders = this.#folders.get(name) ?? new Set()
    for (const folder of folders) {
      if (but !== undefined && dirname(but) === folder) continue
      folders.delete(folder)
      await rm(folder, { recursive: true, force: true })
    }
    if (folders.size === 0) this.#folders.delete(name)
  }
}
