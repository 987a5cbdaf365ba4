import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import type { Item } from '../io/data-port.ts'
import { numberItems } from './number-items.ts'
import type { Recorded } from './sink.ts'

export interface NumberedItem {
  readonly datum: number
  readonly item: Item
}

export interface SourceItems {
  /** Without a line in the sink, in the order of their numbers. One that has left the folder is here too: it cannot be read, and is skipped. */
  readonly todo: readonly NumberedItem[]
  /** With those that have one; what `count` leaves over is not counted. */
  readonly total: number
}

export interface SourceItemsOptions {
  readonly source: string
  readonly folder: string
  /** Of the folder now. */
  readonly items: readonly Item[]
  /** Of the sink: `sink.recorded(source)`. */
  readonly recorded: ReadonlyMap<number, Recorded>
  /** At most this many data. */
  readonly count?: number | undefined
  /** Where numbers are kept between runs. */
  readonly stateFolder: string
}

const savedSchema = z.object({ folder: z.string().optional(), items: z.array(z.string().nullable()) })

/**
 * Number a source's items and keep the numbers on the disk before any of them is used, so that a source that is started
 * again with the same state and sink goes on where it was: no item twice, none missing.
 * @throws UserError when the numbers cannot be read or kept
 */
export const sourceItems = async (options: SourceItemsOptions): Promise<SourceItems> => {
  const { source, folder, items, recorded, count = Number.POSITIVE_INFINITY, stateFolder } = options
  const file = join(stateFolder, `${encodeURIComponent(source)}.items.json`)
  const inSink = new Map([...recorded].map(([datum, { item }]) => [datum, item]))
  const here = items.map(({ name }) => name)
  const saved = await load(file)
  // Of another folder: what has no result and is not here either will never be read; its number stays unused.
  const isElsewhere = saved.folder !== undefined && saved.folder !== resolve(folder)
  const kept = saved.names.map((name, datum) =>
    name === undefined || (isElsewhere && !inSink.has(datum) && !here.includes(name)) ? undefined : name
  )
  const names = numberItems(kept, inSink, here)
  await save(file, resolve(folder), names)
  const paths = new Map(items.map(item => [item.name, item]))
  const numbered = names.flatMap((name, datum) =>
    name === undefined ? [] : [{ datum, item: paths.get(name) ?? { name, path: join(folder, name) } }]
  )
  const wanted = numbered.slice(0, count)
  return { todo: wanted.filter(({ datum }) => !recorded.has(datum)), total: wanted.length }
}

interface Saved {
  readonly folder: string | undefined
  readonly names: readonly (string | undefined)[]
}

const load = async (file: string): Promise<Saved> => {
  const text = await readFile(file, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return '{"items":[]}'
    throw new UserError(`--state: ${file}: ${describeFileError(error)}`)
  })
  try {
    const { folder, items } = savedSchema.parse(JSON.parse(text))
    return { folder, names: items.map(name => name ?? undefined) }
  } catch {
    throw new UserError(`--state: ${file} cannot be read any more; remove it, the sink still knows what is done`)
  }
}

/** A crash leaves the old file or the new one. */
const save = async (file: string, folder: string, names: readonly (string | undefined)[]): Promise<void> => {
  try {
    await mkdir(join(file, '..'), { recursive: true })
    const draft = `${file}.part`
    {
      await using handle = await open(draft, 'w')
      await handle.writeFile(JSON.stringify({ folder, items: names.map(name => name ?? null) }))
      await handle.sync()
    }
    await rename(draft, file)
  } catch (error) {
    throw new UserError(`--state: ${file}: ${describeFileError(error)}; choose a folder that can be written`)
  }
}
