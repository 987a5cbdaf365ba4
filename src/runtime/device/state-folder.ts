import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../../core/user-error.ts'

/** Where a device keeps what must survive it: identity, cluster key, blocks, which data each source has numbered. */
export interface StateFolder {
  readonly path: string
  readonly keyFile: string
  readonly blobs: string
  readonly sources: string
  readonly models: string
}

const runningSchema = z.object({
  pid: z.number(),
  name: z.string(),
  id: z.string(),
  addresses: z.array(z.string()),
  invite: z.string()
})

/** How to reach a device that runs, for `status` and `invite` on the same machine. */
export type RunningDeviceFile = z.infer<typeof runningSchema>

export const stateFolderOf = (name: string, explicit?: string): StateFolder => {
  const path = explicit ?? join(homedir(), '.tributary', name)
  return {
    path,
    keyFile: join(path, 'cluster.key'),
    blobs: join(path, 'blobs'),
    sources: join(path, 'sources'),
    models: join(path, 'models')
  }
}

/** @throws UserError when the folder cannot be made */
export const openStateFolder = async (folder: StateFolder): Promise<void> => {
  try {
    for (const path of [folder.path, folder.blobs, folder.sources, folder.models])
      await mkdir(path, { recursive: true })
  } catch (error) {
    throw new UserError(`--state ${folder.path}: ${(error as Error).message}; choose a folder that can be written`)
  }
}

/** Grows by one at every start, so that what an earlier process of this device said is known to be old. */
export const nextIncarnation = async (folder: StateFolder): Promise<number> => {
  const file = join(folder.path, 'incarnation')
  const before = await readFile(file, 'utf8').then(Number, () => 0)
  const next = (Number.isSafeInteger(before) && before >= 0 ? before : 0) + 1
  await writeWhole(file, String(next))
  return next
}

const runningFile = (folder: StateFolder): string => join(folder.path, 'running.json')

export const writeRunning = (folder: StateFolder, running: RunningDeviceFile): Promise<void> =>
  writeWhole(runningFile(folder), JSON.stringify(running))

export const removeRunning = (folder: StateFolder): Promise<void> => rm(runningFile(folder), { force: true })

/** What the device that runs (or last ran) with this folder wrote; undefined when there is nothing readable. */
export const readRunning = async (folder: StateFolder): Promise<RunningDeviceFile | undefined> => {
  try {
    return runningSchema.parse(JSON.parse(await readFile(runningFile(folder), 'utf8')))
  } catch {
    return undefined
  }
}

/** A crash leaves the old file or the new one, never half of one. */
const writeWhole = async (file: string, text: string): Promise<void> => {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, text)
  await rename(draft, file)
}
