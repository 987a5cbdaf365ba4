import type { ModelProfile } from '../../core/model-profile.ts'
import type { Scenario } from '../../core/scenario.ts'
import type { TaskSpan, TransferSpan } from '../../report/run-trace.ts'
import type { Observer } from '../../simulator/simulation-input.ts'

/** More spans than this make a trace that no viewer opens; the rest is counted, not kept. */
export const MAX_SPANS = 1_000_000

/** Keeps what ran and what was sent, by names. */
export class SpanCollector {
  readonly tasks: TaskSpan[] = []
  readonly transfers: TransferSpan[] = []
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
      sent: ({ from, to, source, datum, activation, start, end }) => {
        if (this.#isFull()) return
        const names = { from: devices[from]!.name, to: devices[to]!.name, source: sources[source]!.name }
        this.transfers.push({ policy, ...names, datum, activation, start, end })
      }
    }
  }

  #isFull(): boolean {
    if (this.tasks.length + this.transfers.length < MAX_SPANS) return false
    this.left++
    return true
  }
}
