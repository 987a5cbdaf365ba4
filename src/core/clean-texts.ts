import { isOneLine, oneLine } from './one-line.ts'

/** The same value with every text in it as one plain line; itself where all are. Of plain objects, arrays and what is in them. */
export const cleanTexts = <T>(value: T): T => (isClean(value) ? value : (cleaned(value) as T))

const isClean = (value: unknown): boolean => {
  if (typeof value === 'string') return isOneLine(value)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return true
  if (Array.isArray(value)) return value.every(isClean)
  for (const key of Object.keys(value)) if (!isClean(value[key as keyof typeof value])) return false
  return true
}

const cleaned = (value: unknown): unknown => {
  if (typeof value === 'string') return oneLine(value)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) return value.map(cleanTexts)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, cleanTexts(one)]))
}
