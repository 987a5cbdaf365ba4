import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder of ONNX Runtime's binaries that this machine cannot load. Bytes. */
export interface ForeignBinaries {
  readonly folder: string
  /** As Node says them: "darwin-arm64". */
  readonly platform: string
  readonly bytes: number
}

/**
 * What `onnxruntime-node` brings for other platforms. Its layout is `bin/napi-vN/PLATFORM/ARCH`, and it loads the one of
 * `process.platform` and `process.arch` alone.
 * @returns nothing where this platform's own binaries are not there: then it is laid out in another way, and nothing is touched
 */
export const foreignBinaries = async (
  runtime: string,
  own = `${process.platform}-${process.arch}`
): Promise<ForeignBinaries[]> => {
  const found: ForeignBinaries[] = []
  for (const version of await foldersIn(join(runtime, 'bin')))
    for (const os of await foldersIn(version.path))
      for (const { name, path } of await foldersIn(os.path))
        found.push({ folder: path, platform: `${os.name}-${name}`, bytes: await bytesIn(path) })
  return found.some(({ platform }) => platform === own) ? found.filter(({ platform }) => platform !== own) : []
}

const foldersIn = async (path: string): Promise<{ readonly name: string; readonly path: string }[]> => {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isDirectory()).map(({ name }) => ({ name, path: join(path, name) }))
}

const bytesIn = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = entries.filter(e => e.isFile()).map(async e => (await stat(join(e.parentPath, e.name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
