import type { Rng } from '../../core/rng.ts'

/** What stands on doors, boxes, shelves and machines; short, so that most lines fit the model's usual width. */
const SIGNS = [
  'EXIT',
  'NO ENTRY',
  'Push',
  'PULL',
  'Stairs',
  'Way out',
  'Reception',
  'STAFF ONLY',
  'NO PARKING',
  'Lift',
  'Mind the gap',
  'Wet paint',
  'CAUTION',
  'Fire door',
  'Keep left',
  'SLOW',
  'Cloakroom',
  'Tickets',
  'OPEN',
  'Closed'
] as const
const PLACES = ['Room', 'Gate', 'Platform', 'Bay', 'Dock', 'Shelf', 'Level', 'Hall', 'Unit', 'Aisle'] as const
const GOODS = [
  'Coffee',
  'Butter',
  'Oat milk',
  'Rye bread',
  'Honey',
  'Lemons',
  'Basil',
  'Flour',
  'Olive oil',
  'Tea',
  'Salt',
  'Rice'
] as const
const LABELS = ['Keep dry', 'FRAGILE', 'This side up', 'Handle gently', 'Do not stack', 'Best before', 'Made by hand']
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] as const
const UNITS = ['g', 'kg', 'ml', 'cm', 'mm', 'V', 'W', 'Hz', 'kPa', 'rpm'] as const
/** Letters of serial numbers; those that look like digits are not used on real plates either. */
const SERIAL = 'ABCDEFGHJKLMNPRSTUVWXYZ'

/** One short line of text as found on signs, labels, price tags, plates and displays. ASCII only. */
export const textLine = (rng: Rng): string => {
  const below = (n: number): number => Math.floor(rng.next() * n)
  const one = <T>(from: readonly T[]): T => from[below(from.length)]!
  const digits = (n: number): string => Array.from({ length: n }, () => below(10)).join('')
  const letters = (n: number): string => Array.from({ length: n }, () => SERIAL[below(SERIAL.length)]).join('')
  const two = (n: number): string => String(n).padStart(2, '0')
  const price = (): string => `${1 + below(98)}.${one(['00', '20', '49', '50', '75', '95', '99'])}`
  const day = (): string => two(1 + below(28))
  const kinds: readonly (() => string)[] = [
    () => one(SIGNS),
    () => one(LABELS),
    () => `${one(PLACES)} ${1 + below(40)}${one(['', '', 'A', 'B', 'C'])}`,
    () => `${one(GOODS)} ${price()}`,
    () => `$${price()}`,
    () => `EUR ${price()}`,
    () => `SN ${digits(3)}-${letters(2)}${digits(2)}`,
    () => `${letters(2)}-${digits(4)}-${letters(1)}`,
    () => `Lot ${digits(5)}`,
    () => `20${two(18 + below(12))}-${two(1 + below(12))}-${day()}`,
    () => `${day()} ${one(MONTHS)} 20${two(18 + below(12))}`,
    () => `${two(6 + below(5))}:00-${two(16 + below(7))}:30`,
    () => `${1 + below(990)} ${one(UNITS)}`,
    () => `${5 + below(90)}% off`,
    () => `Tel ${digits(3)}-${digits(4)}`,
    () => `Item ${1 + below(999)}-${letters(1)}`,
    () => `${one(GOODS)} (${1 + below(9)} ${one(['kg', 'pcs', 'set'])})`
  ]
  return one(kinds)()
}

/** `count` different lines, in the order in which they were drawn. */
export const textLines = (rng: Rng, count: number): string[] => {
  const lines = new Set<string>()
  while (lines.size < count) lines.add(textLine(rng))
  return [...lines]
}
