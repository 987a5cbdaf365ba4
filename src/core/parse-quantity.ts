import { type Bytes, type BytesPerSecond, bytes, bytesPerSecond, type Seconds, seconds } from './units.ts'

/** Each quantity a user can write, with its units and their factors to SI base units. */
const TIME = { s: 1, ms: 1e-3, us: 1e-6, min: 60, h: 3600 } as const
const SIZE = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const
const RATE = { bps: 1 / 8, Kbps: 1e3 / 8, kbps: 1e3 / 8, Mbps: 1e6 / 8, Gbps: 1e9 / 8 } as const
const FREQUENCY = { '/s': 1, '/min': 1 / 60, '/h': 1 / 3600 } as const

const parse = (text: string, units: Readonly<Record<string, number>>, example: string): number => {
  const match = /^\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([A-Za-z/]+)\s*$/.exec(text)
  const factor = match?.[2] === undefined ? undefined : Object.hasOwn(units, match[2]) ? units[match[2]] : undefined
  if (match?.[1] === undefined || factor === undefined) {
    if (/^\s*\d+(\.\d+)?\s*$/.test(text))
      throw new RangeError(`"${text}" has no unit; write it like ${example} (units: ${Object.keys(units).join(', ')})`)
    throw new RangeError(`"${text}" is not a quantity like ${example}; units: ${Object.keys(units).join(', ')}`)
  }
  return Number(match[1]) * factor
}

/** "3ms" -> 0.003. @throws RangeError that names the units when `text` is not a time */
export const parseTime = (text: string): Seconds => seconds(parse(text, TIME, '3ms'))
/** "64MiB" -> 67108864. Binary (KiB, MiB) and decimal (KB, MB) units. @throws RangeError when `text` is not a size */
export const parseSize = (text: string): Bytes => bytes(parse(text, SIZE, '64MiB'))
/** "20Mbps" -> 2500000 bytes per second. @throws RangeError when `text` is not a link rate */
export const parseRate = (text: string): BytesPerSecond => bytesPerSecond(parse(text, RATE, '20Mbps'))
/** "5/s" -> 5, events per second. @throws RangeError when `text` is not a frequency */
export const parseFrequency = (text: string): number => parse(text, FREQUENCY, '5/s')
