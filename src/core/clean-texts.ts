import { oneLine } from './one-line.ts'

/** The same value with every text in it as one plain line; itself where all are. Of plain objects, arrays and what is in them. */
export const cleanTexts = <T>(value: T): T => cleaned(value) as T

/** Each value is looked at once, and copied only where something in it is another. */
const cleaned = (value: unknown): unknown => {
  if (typeof value === 'string') return oneLine(value)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  return Array.isArray(value) ? cleanedList(value) : cleanedObject(value as Readonly<Record<string, unknown>>)
}

const cleanedList = (list: readonly unknown[]): readonly unknown[] => {
  let copy: unknown[] | undefined
  for (const [i, one] of list.entries()) {
    const plain = cleaned(one)
    if (Object.is(plain, one)) continue
    copy ??= [...list]
    copy[i] = plain
  }
  return copy ?? list
}

const cleanedObject = (object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const changes: [string, unknown][] = []
  for (const key of Object.keys(object)) {
    const plain = cleaned(object[key])
    if (!Object.is(plain, object[key])) changes.push([key, plain])
  }
  return changes.length === 0 ? object : Object.fromEntries([...Object.entries(object), ...changes])
}
