import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describeFileError } from '../core/describe-file-error.ts'
import { isFile } from './is-file.ts'
import { isModelName } from './is-model-name.ts'
import { ServingError } from './serving-error.ts'

const MOST_NAMES = 10_000

/** Models that may be loaded by name: NAME.onnx, or NAME/1/model.onnx. */
export class ModelsFolder {
  readonly #path: string | undefined
  #names: readonly string[] = []

  constructor(path: string | undefined) {
    this.#path = path
  }

  get isThere(): boolean {
    return this.#path !== undefined
  }

  /** As of when it was last looked at. */
  names(): readonly string[] {
    return this.#names
  }

  /** @throws ServingError where it cannot be read */
  async look(): Promise<void> {
    if (this.#path === undefined) return
    const entries = await readdir(this.#path, { withFileTypes: true }).catch(error => {
      throw new ServingError('internal', `the folder of models: ${describeFileError(error)}`)
    })
    const names = entries
      .map(entry => (entry.isDirectory() ? entry.name : /^(.*)\.onnx$/.exec(entry.name)?.[1]))
      .filter(name => name !== undefined && isModelName(name))
    const unique = [...new Set(names as string[])].slice(0, MOST_NAMES)
    const files = await Promise.all(unique.map(name => this.fileOf(name)))
    this.#names = unique.filter((_, i) => files[i] !== undefined)
  }

  /** The largest of its versions. */
  async fileOf(name: string): Promise<string | undefined> {
    if (this.#path === undefined) return undefined
    const plain = join(this.#path, `${name}.onnx`)
    if (await isFile(plain)) return plain
    const versions = (await readdir(join(this.#path, name)).catch(() => [])).filter(one => /^\d{1,9}$/.test(one))
    const latest = versions.sort((a, b) => Number(b) - Number(a))[0]
    const file = latest === undefined ? undefined : join(this.#path, name, latest, 'model.onnx')
    return file !== undefined && (await isFile(file)) ? file : undefined
  }
}
