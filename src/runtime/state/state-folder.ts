import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { onStateDisk } from './on-state-disk.ts'
import { PRIVATE_FILE, PRIVATE_FOLDER, type Privacy, tighten } from './privacy.ts'
import { writePrivate } from './write-private.ts'

/** Where a device keeps what must survive it: identity, cluster key, blocks, which data each source has numbered. */
export interface StateFolder {
  readonly path: string
  readonly keyFile: string
  readonly blobs: string
  readonly sources: string
  readonly models: string
}

const deviceSchema = z.object({
  name: z.string(),
  id: z.string(),
  addresses: z.array(z.string().max(512)).max(64),
  /** Of the cluster's key: it need not be in the state folder. */
  keyFile: z.string()
})
const runningSchema = deviceSchema.extend({ pid: z.number() })

/** The device that runs or last ran with a folder. Nothing secret is in it, only where that is. */
export type DeviceFile = z.infer<typeof deviceSchema>
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

/** Of the cluster's next key, until that is in its place. */
export const nextKeyFile = ({ keyFile }: StateFolder): string => `${keyFile}.next`

const KEYS = ['identity.key', 'cluster.key', 'cluster.key.next', 'cluster.key.former']
const FILES = ['running.json', 'device.json', 'peers.json', 'members.json', 'incarnation', 'device.lock']

/**
 * Make the folder, and take from other users what they may do with it and with the secrets in it.
 * @param say hears what was too open
 * @throws UserError when it cannot be made, or others may read a secret in it and that cannot be changed
 */
export const openStateFolder = async (
  folder: StateFolder,
  say: (text: string, level?: 'warn') => void
): Promise<void> => {
  const own = await isOfDevice(folder.path)
  try {
    for (const path of [folder.path, folder.blobs, folder.sources, folder.models])
      await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER })
  } catch (error) {
    throw new UserError(`${folder.path}: ${describeFileError(error)}; choose a folder that can be written`, {
      code: 'stateRefused',
      facts: { folder: folder.path },
      cause: error
    })
  }
  if (own) await closeFolder(folder.path, say)
  else await refuseWritable(folder.path)
  for (const path of [folder.blobs, folder.sources, folder.models]) await closeFolder(path, say)
  for (const name of FILES) requireClosed(join(folder.path, name), await tighten(join(folder.path, name), PRIVATE_FILE))
  for (const name of KEYS) {
    const file = join(folder.path, name)
    const found = await tighten(file, PRIVATE_FILE)
    requireClosed(file, found)
    if (found.kind === 'tightened')
      say(
        `${file} could be read by other users of this machine (mode ${found.was}) and is closed to them now; if one may have read it, begin a new cluster in another state folder`,
        'warn'
      )
  }
}

/** Made by a device, or empty: nobody else needs it. */
const isOfDevice = async (path: string): Promise<boolean> => {
  const names = await readdir(path).catch(() => [])
  return names.some(name => KEYS.includes(name)) || names.every(name => name === 'lost+found')
}

const closeFolder = async (path: string, say: (text: string, level?: 'warn') => void): Promise<void> => {
  const found = await tighten(path, PRIVATE_FOLDER)
  if (found.kind === 'tightened')
    say(`${path} was open to other users of this machine (mode ${found.was}) and is closed to them now`, 'warn')
  if (found.kind === 'open') await refuseWritable(path)
}

/** Where everybody may write, everybody may put another key in the place of ours. */
const refuseWritable = async (path: string): Promise<void> => {
  const { mode } = await stat(path)
  const isSticky = (mode & 0o1000) !== 0
  if (process.platform === 'win32' || (mode & 0o002) === 0 || isSticky) return
  throw new UserError(
    `${path}: every user of this machine may write there (mode ${(mode & 0o7777).toString(8)}); choose a folder of its own, or: chmod 700 ${path}`,
    { code: 'stateRefused', facts: { folder: path } }
  )
}

const requireClosed = (file: string, found: Privacy): void => {
  if (found.kind === 'open' && found.toAll)
    throw new UserError(
      `${file}: every user of this machine may read it (mode ${found.was}); as its owner: chmod 600 ${file}`
    )
}

/**
 * Grows by one at every start, so that what an earlier process of this device said is known to be old.
 * @throws UserError when it cannot be kept
 */
export const nextIncarnation = async (folder: StateFolder): Promise<number> => {
  const file = join(folder.path, 'incarnation')
  const before = await readFile(file, 'utf8').then(Number, () => 0)
  const next = (Number.isSafeInteger(before) && before >= 0 ? before : 0) + 1
  await onStateDisk(folder.path, () => writePrivate(file, String(next)))
  return next
}

const runningFile = (folder: StateFolder): string => join(folder.path, 'running.json')
const deviceFile = (folder: StateFolder): string => join(folder.path, 'device.json')

/** While the device runs, and after: how it can be reached, and how it could be. @throws UserError when it cannot be written */
export const writeRunning = async (folder: StateFolder, running: RunningDeviceFile): Promise<void> => {
  const { pid: _, ...device } = running
  await onStateDisk(folder.path, async () => {
    await writePrivate(deviceFile(folder), JSON.stringify(device))
    await writePrivate(runningFile(folder), JSON.stringify(running))
  })
}

export const removeRunning = (folder: StateFolder): Promise<void> => rm(runningFile(folder), { force: true })

/** What the device that runs (or was killed) with this folder wrote; undefined when there is nothing readable. */
export const readRunning = (folder: StateFolder): Promise<RunningDeviceFile | undefined> =>
  readJson(runningFile(folder), runningSchema)

/** Of this user's devices on this machine those that run now, where they have not been given another folder, by name. */
export const runningHere = async (): Promise<readonly RunningDeviceFile[]> => {
  const home = join(homedir(), '.tributary')
  const names = await readdir(home).catch(() => [])
  const found = await Promise.all(names.map(name => readRunning(stateFolderOf(name))))
  return found.filter(running => running !== undefined).filter(({ pid }) => isRunning(pid))
}

/** One that was killed leaves its file behind. */
const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** What the device that last ran with this folder wrote; undefined when there is nothing readable. */
export const readDevice = (folder: StateFolder): Promise<DeviceFile | undefined> =>
  readJson(deviceFile(folder), deviceSchema)

const readJson = async <T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> => {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return undefined
  }
}
