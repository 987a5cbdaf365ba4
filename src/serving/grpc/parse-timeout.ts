import { type Seconds, seconds } from '../../core/units.ts'
import { ServingError } from '../serving-error.ts'

/** In seconds. */
const UNITS: Readonly<Record<string, number>> = { H: 3600, M: 60, S: 1, m: 1e-3, u: 1e-6, n: 1e-9 }

/** As gRPC writes how long a client waits: `250m`. @throws ServingError */
export const parseTimeout = (text: string): Seconds => {
  const [, count, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? []
  if (count !== undefined) return seconds(Number(count) * UNITS[unit!]!)
  throw new ServingError('badRequest', `grpc-timeout "${text.slice(0, 40)}" is no time: as in 250m, up to 8 digits`)
}
