import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../../core/describe-file-error.ts'
import type { SourceId } from '../../core/ids.ts'
import { UserError } from '../../core/user-error.ts'
import type { FileItem } from '../io/file-item.ts'
import { inFolder, nameBytes } from '../io/file-path.ts'
import type { ItemStamp } from '../ports/item-stamp.ts'
import type { Recorded } from '../ports/sink.ts'
import type { NumberedItem } from '../ports/source-data.ts'
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../state/privacy.ts'
import { numberItems } from './number-items.ts'

export interface SourceItems {
  /** Not done, in the order of their numbers. */
  readonly todo: readonly NumberedItem[]
  /** With those that are done and those that are away; what `count` leaves over is not counted. */
  readonly total: number
  /** Known from an earlier run, not done and not in the folder now, in the order of their numbers: they are waited for. */
  readonly away: readonly NumberedItem[]
  /** Neither done nor waited for: known from an earlier run with another folder or sink, and in neither of these. */
  readonly left: number
}

export interface SourceItemsOptions {
  readonly source: SourceId
  readonly folder: string
  /** Of the folder now. */
  readonly items: readonly FileItem[]
  /** Of the sink: `sink.recorded(source)`. */
  readonly recorded: ReadonlyMap<number, Recorded>
  /** What an item's file looks like, to find those that were no items and have changed since: they are not done. */
  readonly stamp?: (item: FileItem) => Promise<ItemStamp>
  /** At most this many data; those that are here come before those that are away. */
  readonly count?: number | undefined
  /** Names the sinks: items of a run with others are not waited for. */
  readonly sink?: string
  /** Items need no file, so that none is away. */
  readonly areMadeUp?: boolean
  /** Where numbers are kept between runs. */
  readonly stateFolder: string
}

/** As many data as a folder may have: each has a place in memory. */
const MOST_ITEMS = 10_000_000

const savedSchema = z.object({
  folder: z.string().optional(),
  sink: z.string().optional(),
  items: z.array(z.string().nullable())
})

interface Saved {
  /** Of the last run; undefined where that is not known. */
  readonly folder?: string | undefined
  readonly sink?: string | undefined
  /** Names by datum. */
  readonly names: readonly (string | undefined)[]
}

/**
 * Number a source's items and keep the numbers on the disk before any of them is used, so that a source that is started
 * again with the same state and sink goes on where it was: no item twice, none missing.
 * @throws UserError when the numbers cannot be read or kept
 */
export const sourceItems = async (options: SourceItemsOptions): Promise<SourceItems> => {
  const { source, items, recorded, stamp, sink, count = Number.POSITIVE_INFINITY, stateFolder } = options
  const folder = resolve(options.folder)
  const file = itemsFile(stateFolder, source)
  const strange = [...recorded.keys()].find(datum => datum > MOST_ITEMS)
  if (strange !== undefined)
    throw new UserError(
      `sink ${options.sink}: has datum ${strange} of ${source}, and a folder has at most ${MOST_ITEMS}; name the source otherwise`
    )
  const inSink = new Map([...recorded].map(([datum, { item }]) => [datum, item]))
  const here = items.map(({ name }) => name)
  const saved = await load(file)
  const isAnother = options.areMadeUp || !isSame(saved.folder, folder) || !isSame(saved.sink, sink)
  const { kept, left } = isAnother
    ? without(saved.names, new Set([...here, ...inSink.values()]))
    : { kept: saved.names, left: 0 }
  const names = numberItems(kept, inSink, here)
  await save(file, { folder, sink, names })
  const present = new Map(items.map(item => [item.name, item]))
  const changed = await changedSince(recorded, present, stamp)
  const isDone = (datum: number): boolean => recorded.has(datum) && !changed.has(datum)
  const open = names.flatMap((name, datum) => (name === undefined || isDone(datum) ? [] : [{ datum, name }]))
  const done = names.filter((_, datum) => isDone(datum)).length
  const room = Math.max(0, count - done)
  const todo = open.flatMap(({ datum, name }) => (present.has(name) ? [{ datum, item: present.get(name)! }] : []))
  const away = open.flatMap(({ datum, name }) =>
    present.has(name) || !isListable(name) ? [] : [{ datum, item: itemAt(options.folder, name) }]
  )
  const wanted = { todo: todo.slice(0, room), away: away.slice(0, Math.max(0, room - todo.length)) }
  return { ...wanted, total: Math.min(done, count) + wanted.todo.length + wanted.away.length, left }
}

/** Where the numbers of a source's items are kept. */
export const itemsFile = (stateFolder: string, source: SourceId): string =>
  join(stateFolder, `${encodeURIComponent(source)}.items.json`)

const isSame = (before: string | undefined, now: string | undefined): boolean =>
  before === undefined || now === undefined || before === now

/** Numbers of items that are wanted no more are not used again. */
const without = (
  names: Saved['names'],
  wanted: ReadonlySet<string>
): { readonly kept: Saved['names']; readonly left: number } => {
  const kept = names.map(name => (name !== undefined && wanted.has(name) ? name : undefined))
  return { kept, left: names.filter((name, datum) => name !== kept[datum]).length }
}

/** Such as a folder's list may hold: a file with the numbers that was tampered with leads nowhere else. */
const isListable = (name: string): boolean => !(name === '' || name.startsWith('.') || /[/\0]/.test(name))

const itemAt = (folder: string, name: string): FileItem => ({ name, path: inFolder(folder, nameBytes(name)) })

/** Data that have failed for what was in their files, which look different now. */
const changedSince = async (
  recorded: ReadonlyMap<number, Recorded>,
  present: ReadonlyMap<string, FileItem>,
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

const load = async (file: string): Promise<Saved> => {
  const text = await readFile(file, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return '{"items":[]}'
    throw new UserError(`state ${file}: ${describeFileError(error)}`)
  })
  try {
    const { items, ...saved } = savedSchema.parse(JSON.parse(text))
    return { ...saved, names: items.map(name => name ?? undefined) }
  } catch {
    throw new UserError(`state ${file} cannot be read any more; remove it, the sink still knows what is done`)
  }
}

/** A crash leaves the old file or the new one. */
const save = async (file: string, { folder, sink, names }: Saved): Promise<void> => {
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: PRIVATE_FOLDER })
    const draft = `${file}.part`
    {
      await using handle = await open(draft, 'w', PRIVATE_FILE)
      await handle.writeFile(JSON.stringify({ folder, sink, items: names.map(name => name ?? null) }))
      await handle.sync()
    }
    await rename(draft, file)
  } catch (error) {
    throw new UserError(`state ${file}: ${describeFileError(error)}; choose a folder that can be written`)
  }
}
