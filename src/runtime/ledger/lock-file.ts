import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { z } from 'zod'
import { UserError } from '../../core/user-error.ts'

const ownerSchema = z.object({
  host: z.string(),
  pid: z.int(),
  /** When the process began, in the system's own count: another process may have got its number since. Linux only. */
  began: z.string().nullable()
})

type Owner = z.infer<typeof ownerSchema>

/**
 * Hold `path` until the returned function is called. A lock whose process is gone, killed included, is taken over.
 * @param what the flag and file that are locked, for the message
 * @throws UserError when a process that lives holds it, or one of another machine, of which that cannot be known
 */
export const lockFile = async (path: string, what: string): Promise<() => Promise<void>> => {
  const mine = JSON.stringify(await ownerOf(process.pid))
  const draft = `${path}.${process.pid}-${randomUUID()}`
  await writeFile(draft, mine)
  try {
    for (let tries = 0; tries < 20; tries++) {
      if (await linked(draft, path)) return () => release(path, mine)
      await removeStale(path, draft, what)
    }
  } finally {
    await rm(draft, { force: true })
  }
  throw new UserError(`${what}: its lock ${path} changes hands all the time; is it used by several processes?`)
}

/** A link is made whole or not at all, and by one process only. */
const linked = async (draft: string, path: string): Promise<boolean> => {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

const removeStale = async (path: string, draft: string, what: string): Promise<void> => {
  const found = await readFile(path, 'utf8').catch(() => undefined)
  if (found === undefined) return // released meanwhile
  const owner = parseOwner(found)
  if (owner !== undefined && owner.host !== hostname()) {
    throw new UserError(
      `${what}: is used by process ${owner.pid} on ${owner.host}; give another file, or remove ${path} if that process is gone`
    )
  }
  if (owner !== undefined && (await lives(owner))) {
    throw new UserError(`${what}: is used by process ${owner.pid}; stop it, or give another`)
  }
  // Move it away before it is removed: should another process have taken it over since it was read, it goes back.
  const away = `${draft}.stale`
  await rename(path, away).catch(() => {})
  const moved = await readFile(away, 'utf8').catch(() => undefined)
  if (moved !== undefined && moved !== found) await link(away, path).catch(() => {})
  await rm(away, { force: true })
}

const release = async (path: string, mine: string): Promise<void> => {
  const found = await readFile(path, 'utf8').catch(() => undefined)
  if (found === mine) await rm(path, { force: true })
}

const parseOwner = (text: string): Owner | undefined => {
  try {
    return ownerSchema.parse(JSON.parse(text))
  } catch {
    return undefined // not whole, so of a process that died while it was written
  }
}

const ownerOf = async (pid: number): Promise<Owner> => ({ host: hostname(), pid, began: await beginning(pid) })

const lives = async ({ pid, began }: Owner): Promise<boolean> => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = await beginning(pid)
  return began === null || now === null || now === began
}

/** Field 22 of proc_pid_stat(5), after the name, which may hold spaces and brackets. */
const beginning = async (pid: number): Promise<string | null> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
