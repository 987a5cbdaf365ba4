import type { AuditSuspects } from '../../../cluster/audit-suspects.ts'
import type { DeviceId, ModelId } from '../../../core/ids.ts'
import type { JobGuard } from '../../../core/job-guard.ts'
import type { ClusterView } from '../../cluster/cluster-view.ts'
import { areAlike } from '../../dispatch/are-alike.ts'
import type { DeviceTask } from '../../dispatch/device-task.ts'
import type { KeptActivations } from '../../dispatch/kept-activations.ts'
import { decodeTensor } from '../../dispatch/tensor-codec.ts'
import type { BlockFailure } from '../is-proven.ts'
import type { DatumRef } from '../source-port.ts'
import type { Errands } from './errands.ts'
import { keptOf } from './kept-of.ts'
import { type Recomputed, recompute } from './recompute.ts'
import type { Segment, Trails } from './trails.ts'

export interface AuditorParts {
  readonly guard: JobGuard
  readonly view: ClusterView
  readonly kept: KeptActivations
  readonly trails: Trails
  readonly errands: Errands
  readonly suspects: AuditSuspects
  /** Of the data of this device's sources that others had a part in. */
  readonly share: number
  /** From 0 to 1, and not to be foretold. */
  readonly chance: () => number
  /** To its source. */
  readonly deliver: (task: DeviceTask) => void
  /** Its source is to send it out again. */
  readonly reject: (ref: DatumRef, failure: BlockFailure) => void
  /** @param results of this device since this one was last found right */
  readonly blame: (device: DeviceId, model: ModelId, because: string, results: number) => void
  readonly say: (text: string) => void
}

/** What came of data that were looked at. */
export const AUDIT_OUTCOMES = ['agreed', 'deviated', 'undecided', 'impossible'] as const
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number]

type Verdict =
  | { readonly kind: 'agreed' | 'impossible' }
  /** Two differ, and no third settles it. */
  | { readonly kind: 'undecided'; readonly by: readonly DeviceId[]; readonly hasThird: boolean }
  /** `wrong`: it was asked to compute it again, and what was looked at is right. */
  | { readonly kind: 'deviated'; readonly by: readonly DeviceId[]; readonly wrong?: DeviceId }

/**
 * Computes a share of data a second time, after their result has come home: until then nobody knows which. What each device made of
 * what it was given is compared with what another one makes of that, and where they differ, a third settles it. Until that is known
 * the result waits; a wrong one is not taken, and its datum goes out again past whoever made it.
 */
export class Auditor {
  readonly #parts: AuditorParts
  readonly #counts: Record<AuditOutcome, number> = { agreed: 0, deviated: 0, undecided: 0, impossible: 0 }
  readonly #held = new Set<string>()
  /** Results so far, of all sources here. */
  #results = 0
  /** How many there were when a device was last found right. */
  readonly #rightAt = new Map<DeviceId, number>()
  readonly #said = new Set<string>()

  constructor(parts: AuditorParts) {
    this.#parts = parts
  }

  get counts(): Readonly<Record<AuditOutcome, number>> {
    return this.#counts
  }

  /** Whether the result of a datum waits to be known as right. */
  holds(source: string, datum: number): boolean {
    return this.#held.has(`${datum} ${source}`)
  }

  /** A result is home: it is delivered now, or when it is known to be right. */
  cameHome(task: DeviceTask): void {
    const { kept, guard, share, chance, deliver } = this.#parts
    this.#results++
    const isOthers = kept.latest(keptOf(task), 'from') !== undefined
    if (isOthers && chance() < share) void guard.watch('auditing', this.#hold(task))
    else deliver(task)
  }

  /** It is gone for good. */
  forget(device: DeviceId): void {
    this.#parts.suspects.forget(device)
    this.#rightAt.delete(device)
  }

  /** Another process has taken its place. */
  restarted(device: DeviceId): void {
    this.#rightAt.delete(device)
  }

  async #hold(task: DeviceTask): Promise<void> {
    const key = `${task.datum} ${task.source}`
    this.#held.add(key)
    let failure: BlockFailure | undefined
    try {
      failure = await this.#audit(task)
    } finally {
      this.#held.delete(key)
      const { source, datum, attempt } = task
      if (failure === undefined) this.#parts.deliver(task)
      else this.#parts.reject({ source, datum, attempt }, failure)
    }
  }

  /** @returns what is wrong with it */
  async #audit(task: DeviceTask): Promise<BlockFailure | undefined> {
    const { modelId } = task
    const segments = await this.#parts.trails.of(keptOf(task), modelId)
    const verdicts = await Promise.all(segments.map(segment => this.#judge(segment, task)))
    const has = (kind: Verdict['kind']): boolean => verdicts.some(verdict => verdict.kind === kind)
    const outcome = (['deviated', 'undecided'] as const).find(has)
    const isImpossible = outcome === undefined && (segments.length === 0 || has('impossible'))
    this.#counts[outcome ?? (isImpossible ? 'impossible' : 'agreed')]++
    if (isImpossible) this.#sayImpossible(modelId)
    const failures = verdicts.flatMap((verdict, i) => this.#conclude(segments[i]!, verdict, modelId))
    return failures[0]
  }

  async #judge(segment: Segment, task: DeviceTask): Promise<Verdict> {
    const { device, receiver, from, until, output, hidden } = segment
    const input = segment.input.map(decodeTensor)
    const range = { model: task.modelId, from, until, weight: task.weight, input }
    // Whoever is asked may just be giving up the block: another one is.
    const again = async (without: readonly DeviceId[]): Promise<Recomputed | undefined> =>
      (await recompute(range, new Set(without), this.#parts)) ?? recompute(range, new Set(without), this.#parts)
    const parties = [device, ...(receiver === undefined ? [] : [receiver]), ...(hidden?.by ?? [])]
    const second = await again(parties)
    if (second === undefined) return { kind: 'impossible' }
    if (areAlike(output, second.tensors)) return { kind: 'agreed' }
    if (from === until) return { kind: 'deviated', by: [] }
    const third = await again([...parties, ...second.by])
    if (third === undefined) return { kind: 'undecided', by: [...second.by], hasThird: false }
    if (areAlike(second.tensors, third.tensors)) return { kind: 'deviated', by: [...second.by, ...third.by] }
    if (!areAlike(output, third.tensors)) return { kind: 'undecided', by: [...second.by, ...third.by], hasThird: true }
    const [wrong] = second.by
    return second.by.size === 1 ? { kind: 'deviated', by: [device], wrong: wrong! } : { kind: 'agreed' }
  }

  /** @returns why the datum is to be computed again */
  #conclude(segment: Segment, verdict: Verdict, model: ModelId): readonly BlockFailure[] {
    const { device, receiver, from, hidden } = segment
    if (verdict.kind === 'agreed' && hidden === undefined) this.#rightAt.set(device, this.#results)
    if (verdict.kind === 'undecided') this.#sayUndecided(segment, verdict, model)
    if (verdict.kind !== 'deviated') return []
    if (verdict.wrong !== undefined) {
      this.#blame(verdict.wrong, model, this.#because(segment, model, verdict.by))
      return []
    }
    if (hidden !== undefined && !this.#parts.suspects.hides(device, hidden.after))
      return [this.#ofNobody(segment, hidden.after, model)]
    const culprit = this.#parts.suspects.deviates(device, receiver)
    const because = this.#because(segment, model, culprit === device ? verdict.by : [device, ...verdict.by])
    this.#blame(culprit, model, because)
    return [{ device: culprit, block: from, because }]
  }

  /** It is computed again elsewhere; that alone sets nobody aside. */
  #ofNobody(segment: Segment, before: DeviceId, model: ModelId): BlockFailure {
    const { device, from: block } = segment
    const name = this.#parts.view.nameOf(device)
    const because = `what came of ${this.#blocks(segment, model)} is wrong, and ${name} keeps no more what it was given of it`
    return before === device ? { device, block, because } : { device, accuser: before, block, because }
  }

  #blame(device: DeviceId, model: ModelId, because: string): void {
    this.#parts.blame(device, model, because, this.#results - (this.#rightAt.get(device) ?? 0))
  }

  #because(segment: Segment, model: ModelId, others: readonly DeviceId[]): string {
    if (segment.from === segment.until) return 'what it passed on is not what had come to it'
    return `what it made of ${this.#blocks(segment, model)} is not what ${this.#names(others)} made of it`
  }

  /** Once for each model, where every result is to be looked at. */
  #sayImpossible(model: ModelId): void {
    if (this.#parts.share < 1 || this.#said.has(model) || this.#said.size >= MOST_SAID) return
    this.#said.add(model)
    const what = `results of ${this.#parts.view.labelOf(model)} are delivered without having been compared`
    this.#parts.say(`${what}: nobody else can compute them again, or what they were made of is not known any more`)
  }

  /** Once for each pair. */
  #sayUndecided(segment: Segment, { by, hasThird }: Verdict & { kind: 'undecided' }, model: ModelId): void {
    const { device } = segment
    const key = `${device} ${model} ${by.join()}`
    if (this.#said.has(key) || this.#said.size >= MOST_SAID) return
    this.#said.add(key)
    const what = `${this.#names([device, ...by])} make different things of ${this.#blocks(segment, model)}`
    this.#parts.say(`${what}, and ${hasThird ? 'no two of them agree' : 'there is no third to settle it'}`)
  }

  #blocks({ from, until }: Segment, model: ModelId): string {
    const which = until - from > 1 ? `blocks ${from} to ${until - 1}` : `block ${from}`
    return `${which} of ${this.#parts.view.labelOf(model)}`
  }

  #names(devices: readonly DeviceId[]): string {
    return [...new Set(devices)].map(device => this.#parts.view.nameOf(device)).join(' and ')
  }
}

const MOST_SAID = 100
