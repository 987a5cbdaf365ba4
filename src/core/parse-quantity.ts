import { type Bytes, type BytesPerSecond, bytes, bytesPerSecond, type Seconds, seconds } from './units.ts'

/** Each quantity a user can write, with its units and their factors to SI base units. */
const TIME = { s: 1, ms: 1e-3, us: 1e-6, min: 60, h: 3600 } as const
const SIZE = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const
const RATE = { bps: 1 / 8, Kbps: 1e3 / 8, kbps: 1e3 / 8, Mbps: 1e6 / 8, Gbps: 1e9 / 8 } as const
const FREQUENCY = { '/s': 1, '/min': 1 / 60, '/h': 1 / 3600 } as const

/**
 * Beyond these a number is a slip, and sums and quotients of such numbers are not what they seem. In words and SI units.
 * Zero is within: what must be more than 0 is said where it is used.
 */
interface Limits {
  readonly least: number
  readonly most: number
  readonly words: string
}

const TIME_LIMITS: Limits = { least: 0, most: 1e9, words: 'at most 1e9s' }
const SIZE_LIMITS: Limits = { least: 0, most: 1e15, words: 'at most 1e6GB' }
const RATE_LIMITS: Limits = { least: 1 / 8, most: 1e15 / 8, words: 'from 1bps to 1e6Gbps' }
const FREQUENCY_LIMITS: Limits = { least: 1e-9, most: 1e6, words: 'from 1e-9/s to 1e6/s' }

const parse = (
  text: string,
  units: Readonly<Record<string, number>>,
  example: string,
  { least, most, words }: Limits
): number => {
  const match = /^\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([A-Za-z/]+)\s*$/.exec(text)
  const factor = match?.[2] === undefined ? undefined : Object.hasOwn(units, match[2]) ? units[match[2]] : undefined
  if (match?.[1] === undefined || factor === undefined) {
    if (/^\s*\d+(\.\d+)?\s*$/.test(text))
      throw new RangeError(`"${text}" has no unit; write it like ${example} (units: ${Object.keys(units).join(', ')})`)
    throw new RangeError(`"${text}" is not a quantity like ${example}; units: ${Object.keys(units).join(', ')}`)
  }
  const value = Number(match[1]) * factor
  if (value <= most && (value === 0 || value >= least)) return value
  throw new RangeError(`"${text}" is out of range: ${words}`)
}

/** "3ms" -> 0.003. @throws RangeError that names the units, or the limit, when `text` is not a time */
export const parseTime = (text: string): Seconds => seconds(parse(text, TIME, '3ms', TIME_LIMITS))
/** "64MiB" -> 67108864. Binary (KiB, MiB) and decimal (KB, MB) units. @throws RangeError when `text` is not a size, or out of range */
export const parseSize = (text: string): Bytes => bytes(parse(text, SIZE, '64MiB', SIZE_LIMITS))
/** "20Mbps" -> 2500000 bytes per second. @throws RangeError when `text` is not a link rate, or out of range */
export const parseRate = (text: string): BytesPerSecond => bytesPerSecond(parse(text, RATE, '20Mbps', RATE_LIMITS))
/** "5/s" -> 5, events per second. @throws RangeError when `text` is not a frequency */
export const parseFrequency = (text: string): number => parse(text, FREQUENCY, '5/s', FREQUENCY_LIMITS)
