import type { ClusterStep, ClusterSteps } from '../../runtime/device/steps/cluster-steps.ts'
import { shiftStep } from '../../runtime/ports/shift-step.ts'
import { causalShifts } from './causal-shifts.ts'

/** A part of a datum's way: from when to when, where, and doing what. Seconds since it was available. */
export interface PathPart {
  readonly kind: 'waited' | 'computed' | 'travelled'
  readonly from: number
  readonly to: number
  readonly device: string
  readonly what: string
  /** It had not been admitted. */
  readonly isBefore: boolean
}

/** What one datum went through. */
export interface DatumPath {
  readonly source: string
  readonly datum: number
  /** The device of its source; undefined where that has forgotten its beginning. */
  readonly home: string | undefined
  readonly outcome: 'result' | 'dropped' | 'failed' | 'under way'
  /** Why it was dropped; '' otherwise. */
  readonly reason: string
  /** From when it was available to its end; undefined while it is under way, or where its end is not known. */
  readonly took: number | undefined
  readonly traceId: string | undefined
  readonly parts: readonly PathPart[]
  /** Instants are right within so many seconds. */
  readonly within: number
}

/** @param steps of one datum, in the order in which they began; at least one */
export const datumPath = ({ devices }: Pick<ClusterSteps, 'devices'>, told: readonly ClusterStep[]): DatumPath => {
  const shifts = causalShifts({ devices }, told)
  const steps = told.map(step => ({ ...shiftStep(step, shifts.get(step.device)!), device: step.device }))
  const [first] = steps as [ClusterStep]
  const admitted = steps.find(step => step.did === 'admitted')
  const ended = steps.findLast(step => step.did === 'ended')
  const zero = beginning(steps)
  const nameOf = (id: string): string => devices.find(device => device.id === id)?.name ?? id
  const parts = steps.flatMap(step => partsOf(step, nameOf(step.device), arrivalOf(step, steps, nameOf)))
  const seen = new Set(steps.map(({ device }) => device))
  return {
    ...{
      source: first.source,
      datum: first.datum,
      traceId: steps.find(({ trace }) => trace !== undefined)?.trace?.traceId
    },
    home: admitted === undefined ? undefined : nameOf(admitted.device),
    outcome: ended?.did === 'ended' ? ended.outcome : 'under way',
    reason: ended?.did === 'ended' && ended.outcome === 'dropped' ? ended.reason : '',
    took: ended?.did === 'ended' ? ended.at - zero : undefined,
    parts: parts
      .filter(({ kind, from, to }) => kind !== 'waited' || to > from)
      .map(part => ({ ...part, from: part.from - zero, to: part.to - zero }))
      .sort((a, b) => a.from - b.from || a.to - b.to),
    within: Math.max(0, ...devices.filter(({ id }) => seen.has(id)).map(({ within }) => within))
  }
}

/** The earliest that is known of it. */
const beginning = (steps: readonly ClusterStep[]): number =>
  Math.min(
    ...steps.map(step => {
      if (step.did === 'admitted' || (step.did === 'ended' && step.outcome === 'result')) return step.available
      return step.did === 'ended' ? step.at : step.ready
    })
  )

/** Of what was sent: when it was there, as who took it has it; undefined where nobody did anything with it. */
const arrivalOf = (
  step: ClusterStep,
  steps: readonly ClusterStep[],
  nameOf: (id: string) => string
): number | undefined => {
  if (step.did !== 'sent') return undefined
  const after = steps.flatMap(other => {
    if (nameOf(other.device) !== step.to) return []
    if (other.did === 'ran' && other.block === step.activation) return [other.ready]
    if (other.did === 'sent' && other.activation === step.activation) return [other.ready]
    return other.did === 'ended' ? [other.at] : []
  })
  return after.filter(at => at >= step.start).sort((a, b) => a - b)[0]
}

const partsOf = (step: ClusterStep, device: string, arrival: number | undefined): readonly PathPart[] => {
  switch (step.did) {
    case 'admitted':
      return [{ kind: 'waited', from: step.available, to: step.at, device, what: 'for the window', isBefore: true }]
    case 'ran': {
      const { ready, start, end, block, model } = step
      const at = { device, isBefore: false }
      return [
        { kind: 'waited', from: ready, to: start, ...at, what: `for block ${block}` },
        { kind: 'computed', from: start, to: end, ...at, what: `block ${block} of ${model}` }
      ]
    }
    case 'sent': {
      const { ready, start, end, to } = step
      const at = { device, isBefore: false }
      return [
        { kind: 'waited', from: ready, to: start, ...at, what: `for the link to ${to}` },
        { kind: 'travelled', from: start, to: Math.max(end, arrival ?? end), ...at, what: `to ${to}` }
      ]
    }
    case 'ended':
      return []
    default:
      return step satisfies never
  }
}
