import { type Seconds, seconds } from '../core/units.ts'
import { ServingError } from './serving-error.ts'

/** As either transport brings one. */
export type Parameter = boolean | number | bigint | string

export type Parameters = ReadonlyMap<string, Parameter>

/** This one counts as those without any. */
const DEFAULT_PRIORITY = 4
const LEAST_PRIORITY = 256

/** What a request counts beside others: twice the priority number is half of it. Without one, or 0: as the fourth. */
export const weightOf = (parameters: Parameters): number => {
  const priority = wholeNumber(parameters, 'priority') ?? 0
  return DEFAULT_PRIORITY / Math.min(LEAST_PRIORITY, priority === 0 ? DEFAULT_PRIORITY : priority)
}

/** Microseconds in the request; 0 is none. */
export const timeoutOf = (parameters: Parameters): Seconds | undefined => {
  const timeout = wholeNumber(parameters, 'timeout') ?? 0
  return timeout === 0 ? undefined : seconds(timeout / 1e6)
}

/** The name by which whoever asks wants to be one source, wherever it asks. */
export const sourceNameOf = (parameters: Parameters): string | undefined => {
  const name = parameters.get('source')
  if (name === undefined || typeof name === 'string') return name === '' ? undefined : name
  throw new ServingError('badRequest', `parameter "source" must be a name, got ${String(name)}`)
}

/** Of an output: that classes are wanted in the place of its numbers. @throws ServingError */
export const refuseClasses = (output: string, parameters: Parameters): void => {
  if ((wholeNumber(parameters, 'classification') ?? 0) === 0) return
  throw new ServingError('badRequest', `output '${output}': the parameter "classification" is not supported here`)
}

/** @param tensor in words @throws ServingError where it stands in memory that client and server are to share */
export const refuseSharedMemory = (tensor: string, parameters: Parameters): void => {
  if (!parameters.has('shared_memory_region')) return
  throw new ServingError(
    'badRequest',
    `${tensor}: "shared_memory_region" is not supported here: data travel in the request and in the answer`
  )
}

export const isSet = (parameters: Parameters, name: string): boolean => {
  const value = parameters.get(name)
  if (value === undefined || typeof value === 'boolean') return value === true
  throw new ServingError('badRequest', `parameter "${name}" must be true or false, got ${String(value)}`)
}

export const wholeNumber = (parameters: Parameters, name: string): number | undefined => {
  const value = parameters.get(name)
  if (value === undefined) return undefined
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  const whole = typeof number === 'bigint' ? Number(number) : number
  if (typeof whole === 'number' && Number.isInteger(whole) && whole >= 0) return whole
  throw new ServingError('badRequest', `parameter "${name}" must be a whole number from 0, got ${String(value)}`)
}
