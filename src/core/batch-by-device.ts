import { type BatchCurve, batchCurve, LARGEST_BATCH, MOST_POINTS } from './batch-curve.ts'
import { byDevice, type NamedDevice } from './by-device.ts'
import { parseTime } from './parse-quantity.ts'
import { UserError } from './user-error.ts'

type Written = Readonly<Record<string, number | string>>

/**
 * What several data of a model take at once, by device in the order of `devices`; undefined where none is given, or where it gains
 * nothing. Written by number of data: as multiples of what one takes, `{ 2: 1.6, 8: 5.4 }`, or as times, with that of one:
 * `{ 1: 176ms, 8: 960ms }`. Keys: `byDevice`.
 * @param where it stands in its file, for messages
 * @throws UserError that names the entry, for what is no curve: numbers of data from 1 up, more data take no less than fewer
 */
export const batchByDevice = (
  written: Readonly<Record<string, Written>>,
  devices: readonly NamedDevice[],
  where: string
): readonly (BatchCurve | undefined)[] => {
  const curves = Object.entries(written).map(([key, entry]) => [key, pointsOf(entry, `${where}.${key}`)] as const)
  return byDevice(Object.fromEntries(curves), devices, 'a curve', where).map(points =>
    points === undefined ? undefined : batchCurve(points)
  )
}

const pointsOf = (entry: Written, where: string) => {
  const entries = Object.entries(entry)
  const all = entries.map(([size, value]) => ({
    size: sizeOf(size, where),
    value: amountOf(value, `${where}.${size}`)
  }))
  all.sort((a, b) => a.size - b.size)
  if (entries.some(([, value]) => typeof value !== typeof entries[0]![1]))
    throw new UserError(`${where}: multiples and times do not go together; give one or the other`)
  const [first] = all
  if (first === undefined || all.length > MOST_POINTS)
    throw new UserError(`${where}: ${all.length} numbers of data; give 1 to ${MOST_POINTS}, like { 2: 1.6, 8: 5.4 }`)
  if (typeof entries[0]![1] === 'string' && first.size !== 1)
    throw new UserError(`${where}: times of several data say nothing without that of one; add 1: 20ms`)
  const one = first.size === 1 ? first.value : 1
  const more = all.filter(({ size }) => size > 1).map(({ size, value }) => ({ size, times: value / one }))
  for (const [i, { size, times }] of more.entries()) {
    const fewer = more[i - 1] ?? { size: 1, times: 1 }
    if (times < fewer.times)
      throw new UserError(`${where}.${size}: ${size} data take less than ${fewer.size}; give at least as much`)
  }
  return more
}

const sizeOf = (text: string, where: string): number => {
  const size = Number(text)
  if (Number.isInteger(size) && size >= 1 && size <= LARGEST_BATCH) return size
  throw new UserError(`${where}: "${text}" is no number of data: a whole number from 1 to ${LARGEST_BATCH}`)
}

const amountOf = (value: number | string, where: string): number => {
  const number = typeof value === 'number' ? value : timeOf(value, where)
  if (number > 0 && Number.isFinite(number)) return number
  throw new UserError(
    `${where}: ${value} is no time of a batch: a multiple of one datum's like 1.6, or a time like 960ms`
  )
}

const timeOf = (text: string, where: string): number => {
  try {
    return parseTime(text)
  } catch (error) {
    throw new UserError(`${where}: ${(error as Error).message}`)
  }
}
