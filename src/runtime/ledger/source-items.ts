import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../device/privacy.ts'
import type { Item } from '../io/data-port.ts'
import type { ItemStamp } from '../io/item-stamp.ts'
import { numberItems } from './number-items.ts'
import type { Recorded } from './sink.ts'

export interface NumberedItem {
  readonly datum: number
  readonly item: Item
}

export interface SourceItems {
  /** Not done, in the order of their numbers. */
  readonly todo: readonly NumberedItem[]
  /** With those that are done; what `count` leaves over is not counted. */
  readonly total: number
  /** Known from an earlier run, not done and not in the folder now: they keep their numbers, and are done when they are back. */
  readonly away: number
}

export interface SourceItemsOptions {
  readonly source: string
  readonly folder: string
  /** Of the folder now. */
  readonly items: readonly Item[]
  /** Of the sink: `sink.recorded(source)`. */
  readonly recorded: ReadonlyMap<number, Recorded>
  /** What an item's file looks like, to find those that were skipped and have changed since: they are not done. */
  readonly stamp?: (item: Item) => Promise<ItemStamp>
  /** At most this many data. */
  readonly count?: number | undefined
  /** Where numbers are kept between runs. */
  readonly stateFolder: string
}

/** `folder` is for people. */
const savedSchema = z.object({ folder: z.string().optional(), items: z.array(z.string().nullable()) })

/**
 * Number a source's items and keep the numbers on the disk before any of them is used, so that a source that is started
 * again with the same state and sink goes on where it was: no item twice, none missing.
 * @throws UserError when the numbers cannot be read or kept
 */
export const sourceItems = async (options: SourceItemsOptions): Promise<SourceItems> => {
  const { source, folder, items, recorded, stamp, count = Number.POSITIVE_INFINITY, stateFolder } = options
  const file = join(stateFolder, `${encodeURIComponent(source)}.items.json`)
  const inSink = new Map([...recorded].map(([datum, { item }]) => [datum, item]))
  const here = items.map(({ name }) => name)
  const saved = await load(file)
  const names = numberItems(saved, inSink, here)
  await save(file, resolve(folder), names)
  const present = new Map(items.map(item => [item.name, item]))
  const changed = await changedSince(recorded, present, stamp)
  const numbered = names.flatMap((name, datum) => (name === undefined ? [] : [{ datum, item: present.get(name) }]))
  const isDone = (datum: number): boolean => recorded.has(datum) && !changed.has(datum)
  const known = numbered.filter(({ datum, item }) => isDone(datum) || item !== undefined)
  const wanted = known.slice(0, count)
  const todo = wanted.flatMap(({ datum, item }) => (item === undefined || isDone(datum) ? [] : [{ datum, item }]))
  return { todo, total: wanted.length, away: numbered.length - known.length }
}

/** Data that were skipped for what was in their files, which look different now. */
const changedSince = async (
  recorded: ReadonlyMap<number, Recorded>,
  present: ReadonlyMap<string, Item>,
  stampOf: SourceItemsOptions['stamp']
): Promise<ReadonlySet<number>> => {
  const changed = new Set<number>()
  for (const [datum, { item: name, stamp }] of recorded) {
    const item = present.get(name)
    if (stamp === undefined || item === undefined || stampOf === undefined) continue
    const now = await stampOf(item).catch(() => undefined) // away: it cannot be told now
    if (now !== undefined && now.id !== stamp) changed.add(datum)
  }
  return changed
}

/** Names by datum, of the last run. */
const load = async (file: string): Promise<readonly (string | undefined)[]> => {
  const text = await readFile(file, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return '{"items":[]}'
    throw new UserError(`--state: ${file}: ${describeFileError(error)}`)
  })
  try {
    return savedSchema.parse(JSON.parse(text)).items.map(name => name ?? undefined)
  } catch {
    throw new UserError(`--state: ${file} cannot be read any more; remove it, the sink still knows what is done`)
  }
}

/** A crash leaves the old file or the new one. */
const save = async (file: string, folder: string, names: readonly (string | undefined)[]): Promise<void> => {
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: PRIVATE_FOLDER })
    const draft = `${file}.part`
    {
      await using handle = await open(draft, 'w', PRIVATE_FILE)
      await handle.writeFile(JSON.stringify({ folder, items: names.map(name => name ?? null) }))
      await handle.sync()
    }
    await rename(draft, file)
  } catch (error) {
    throw new UserError(`--state: ${file}: ${describeFileError(error)}; choose a folder that can be written`)
  }
}
