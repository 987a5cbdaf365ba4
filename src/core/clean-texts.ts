import { oneLine } from './one-line.ts'

/** The same value with every text in it as one plain line; itself where all are. Of plain objects, arrays and what is in them. */
export const cleanTexts = <T>(value: T): T => {
  if (typeof value === 'string') return oneLine(value) as T
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) {
    const cleaned = value.map(cleanTexts)
    return cleaned.every((one, i) => one === value[i]) ? value : (cleaned as T)
  }
  const entries = Object.entries(value).map(([key, one]) => [key, cleanTexts(one)] as const)
  return entries.every(([key, one]) => one === value[key as keyof T]) ? value : (Object.fromEntries(entries) as T)
}
