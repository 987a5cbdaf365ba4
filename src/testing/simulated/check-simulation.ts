import { z } from 'zod'
import { checkedOptions } from '../../core/checked-options.ts'
import { nearest } from '../../core/nearest.ts'
import { UserError } from '../../core/user-error.ts'
import type { Place } from '../../planner/placement.ts'
import type { Fault } from './fault.ts'
import type { SimulatedScenario } from './scenario.ts'
import type { SimulationOptions } from './simulate-devices.ts'

const place = z.int().min(0).max(1000)
/** Seconds: a week of simulated time. */
const at = z.number().min(0).max(604_800)
const some = { device: place, lasts: at }
const way = { from: place, to: place }
const factor = z.number().min(1e-3).max(1e6)

/** What each kind has besides its instant. */
const FIELDS = {
  ...{
    crash: { ...some, wipes: z.boolean() },
    power: { ...some, wipes: z.boolean() },
    leave: { ...some, wipes: z.boolean() }
  },
  ...{ swap: some, absent: some, hang: some, fail: some, stick: some, twice: some },
  ...{ fullSink: some, slowSink: some, fullDisk: some, slowDisk: some },
  ...{ model: { device: place }, gone: { device: place }, slow: { ...some, factor } },
  ...{ cut: { ...way, lasts: at }, partition: { devices: z.array(place), lasts: at }, disconnect: way, reset: way },
  ...{ slowWire: { ...way, factor, lasts: at }, itemsAway: { source: place, lasts: at } },
  wallJump: { device: place, by: z.number().min(-1e9).max(1e9) }
} as const satisfies Record<Fault['kind'], z.ZodRawShape>

const KINDS = Object.keys(FIELDS)
const forms = Object.entries(FIELDS).map(([kind, fields]) => z.strictObject({ at, kind: z.literal(kind), ...fields }))

const fault = z.discriminatedUnion('kind', forms as [(typeof forms)[0], ...typeof forms], {
  error: ({ input }) => unknownKind(String((input as Partial<Fault> | null | undefined)?.kind))
})

const unknownKind = (kind: string): string => {
  const near = nearest(kind, KINDS)
  return `"${kind}" is no kind of fault${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${KINDS.join(', ')})`
}

const schema = z.strictObject({
  seed: z
    .int()
    .min(0)
    .max(2 ** 48),
  faults: z.array(fault).max(10_000).optional(),
  planned: z.custom<Place>(value => typeof value === 'function', 'must be a function').optional()
})

/** @throws UserError `badOption` that names the seed, or the fault and what is wrong with it */
export const checkSimulation = (seed: unknown, options: SimulationOptions): void => {
  if (typeof options !== 'object' || options === null) checkedOptions(schema, options, 'simulateDevices')
  checkedOptions(schema, { seed, ...options }, 'simulateDevices')
}

/** Faults name devices and sources by their place in the seed's own scenario. @throws UserError `badOption` */
export const checkFaults = (faults: readonly Fault[], { devices, sources }: SimulatedScenario): void => {
  for (const [i, fault] of faults.entries())
    for (const [field, value] of Object.entries(fault)) {
      const count = field === 'source' ? sources.length : devices.length
      const isPlace = ['device', 'devices', 'from', 'to', 'source'].includes(field)
      const wrong = isPlace ? [value].flat().find(place => place >= count) : undefined
      if (wrong !== undefined)
        throw new UserError(
          `simulateDevices: faults[${i}].${field}: there is no ${field === 'source' ? 'source' : 'device'} ${wrong}: this seed's are numbered 0 to ${count - 1}`,
          { code: 'badOption', facts: { option: `faults.${i}.${field}` } }
        )
    }
}
