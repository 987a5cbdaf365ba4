import type { ModelProfile } from '../../core/model-profile.ts'
import type { Scenario } from '../../core/scenario.ts'
import type { DatumSpan, TaskSpan, TransferSpan } from '../../report/run-trace.ts'
import type { Observer, SimulationOutput } from '../../simulator/simulation-input.ts'

/** More spans than this make a trace that no viewer opens; the rest is counted, not kept. */
export const MAX_SPANS = 1_000_000

/** Keeps what ran and what was sent, by names. */
export class SpanCollector {
  readonly tasks: TaskSpan[] = []
  readonly transfers: TransferSpan[] = []
  readonly data: DatumSpan[] = []
  left = 0
  readonly #scenario: Scenario
  readonly #profiles: readonly ModelProfile[]

  constructor(scenario: Scenario, profiles: readonly ModelProfile[]) {
    this.#scenario = scenario
    this.#profiles = profiles
  }

  observer(policy: string): Observer {
    const { devices, sources } = this.#scenario
    return {
      ran: ({ device, source, datum, model, block, start, end }) => {
        if (this.#isFull()) return
        const names = {
          device: devices[device]!.name,
          source: sources[source]!.name,
          model: this.#profiles[model]!.name
        }
        this.tasks.push({ policy, ...names, datum, block, start, end })
      },
      sent: ({ from, to, source, datum, model, activation, start, end }) => {
        if (this.#isFull()) return
        const names = { from: devices[from]!.name, to: devices[to]!.name, source: sources[source]!.name }
        const bytes = this.#profiles[model]!.activations[activation]!
        this.transfers.push({ policy, ...names, datum, activation, bytes, start, end })
      }
    }
  }

  /** What came home, by source. */
  results(policy: string, results: readonly SimulationOutput['sources'][number]['results'][]): void {
    const { devices, sources } = this.#scenario
    for (const [s, { name: source, device }] of sources.entries()) {
      for (const { datum, availableAt: start, completedAt: end } of results[s]!)
        if (!this.#isFull()) this.data.push({ policy, source, device: devices[device]!.name, datum, start, end })
    }
  }

  #isFull(): boolean {
    if (this.tasks.length + this.transfers.length + this.data.length < MAX_SPANS) return false
    this.left++
    return true
  }
}
