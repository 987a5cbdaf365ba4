import type { ClusterStep } from '../../runtime/device/steps/cluster-steps.ts'

/** A part of the way of a datum. Seconds of one clock. */
export interface PathPart {
  readonly did: 'waited' | 'computed' | 'travelled'
  /** Names: of a device, or of both ends of a link. */
  readonly where: string
  /** What was computed or carried; '' of a wait. */
  readonly what: string
  readonly start: number
  readonly end: number
}

export interface DatumPath {
  readonly source: string
  readonly datum: number
  /** Where it is known; else it is under way, or began before anybody looked. */
  readonly begun: number | undefined
  readonly ended: number | undefined
  readonly outcome: 'result' | 'dropped' | 'failed' | 'under way'
  readonly parts: readonly PathPart[]
  /** Seconds of all parts of a kind; those that overlap count twice. */
  readonly sums: Readonly<Record<PathPart['did'], number>>
}

/** Of a wait. Clocks of two devices are hardly known better. */
const SHORTEST = 1e-4

/**
 * The way of one datum, in order.
 * @param steps its own
 * @param nameOf a device, by its id
 */
export const datumPath = (steps: readonly ClusterStep[], nameOf: (id: string) => string): DatumPath => {
  const { source, datum } = steps[0]!
  const admitted = steps.find(step => step.did === 'admitted')
  const end = steps.find(step => step.did === 'ended')
  const begun = admitted?.available ?? (end?.outcome === 'result' ? end.available : undefined)
  const parts = steps.flatMap(step => partsOf(step, nameOf)).sort((a, b) => a.start - b.start || a.end - b.end)
  if (admitted !== undefined && admitted.at - admitted.available > SHORTEST)
    parts.unshift(wait(`the window of ${source}`, admitted.available, admitted.at))
  const sum = (did: PathPart['did']): number =>
    parts.reduce((sum, part) => sum + (part.did === did ? Math.max(0, part.end - part.start) : 0), 0)
  return {
    ...{ source, datum, begun, ended: end?.at, outcome: end?.outcome ?? 'under way', parts },
    sums: { waited: sum('waited'), computed: sum('computed'), travelled: sum('travelled') }
  }
}

const wait = (where: string, start: number, end: number): PathPart => ({ did: 'waited', where, what: '', start, end })

const partsOf = (step: ClusterStep, nameOf: (id: string) => string): PathPart[] => {
  if (step.did !== 'ran' && step.did !== 'sent') return []
  const here = nameOf(step.device)
  const { ready, start, end } = step
  const where = step.did === 'ran' ? here : `${here} → ${step.to}`
  const own: PathPart =
    step.did === 'ran'
      ? { did: 'computed', where, what: `block ${step.block} of ${step.model}`, start, end }
      : { did: 'travelled', where, what: `activation ${step.activation}, ${step.bytes} bytes`, start, end }
  return start - ready > SHORTEST ? [wait(where, ready, start), own] : [own]
}
