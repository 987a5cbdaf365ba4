import { readdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Rename a file to the next free number: results.jsonl.1 is the oldest. A link stays where it is and leads to the next file.
 * @param keep at most so many remain, the oldest go; undefined for all
 */
export const rotateFile = async (path: string, keep?: number): Promise<void> => {
  const file = await realpath(path)
  const numbers = await rotatedNumbers(file)
  const next = (numbers.at(-1) ?? 0) + 1
  await rename(file, `${file}.${next}`)
  if (keep === undefined) return
  const surplus = [...numbers, next].slice(0, -keep)
  await Promise.all(surplus.map(number => rm(`${file}.${number}`, { force: true })))
}

/** Of the files that were rotated away from `file`, lowest first. */
export const rotatedNumbers = async (file: string): Promise<readonly number[]> => {
  const start = `${basename(file)}.`
  const names = await readdir(dirname(file))
  return names
    .filter(name => name.startsWith(start) && /^[1-9]\d{0,8}$/.test(name.slice(start.length)))
    .map(name => Number(name.slice(start.length)))
    .sort((a, b) => a - b)
}

/** A file that was rotated away, by its number. */
export const rotatedFile = (file: string, number: number): string => join(dirname(file), `${basename(file)}.${number}`)
