import type { Clock } from '../../core/clock.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { DeviceReporter } from './device-reporter.ts'
import type { LogLevel } from './log-level.ts'

export interface WaitingWordsParts {
  readonly clock: Clock
  readonly view: ClusterView
  readonly reporter: DeviceReporter
  readonly say: (text: string, level?: LogLevel) => void
}

/** Says in the log what sources and data here wait for. */
export class WaitingWords {
  readonly #parts: WaitingWordsParts
  #waitingFor = { reason: '', since: 0, said: true }

  constructor(parts: WaitingWordsParts) {
    this.#parts = parts
  }

  /** What sources wait for before they begin. */
  sources(startWhen: number): void {
    const { say, view } = this.#parts
    const there = view.planned().length
    if (view.manifests().length === 0)
      say('sources wait for a model: no device here has one; give one to this device or another', 'warn')
    else if (there < startWhen) say(`sources wait: ${there} of ${startWhen} devices are there`)
    else say('sources wait until every device has loaded its blocks')
  }

  /** What data wait for, once for each reason, when it has lasted. */
  data(): void {
    const text = this.#parts.reporter
      .waiting()
      .map(({ model, block, tasks, because }) => `${tasks} data wait for block ${block} of ${model}: ${because}`)
      .join('; ')
    const { clock, say } = this.#parts
    const reason = text.replace(/\d+ data/g, '')
    if (reason !== this.#waitingFor.reason) this.#waitingFor = { reason, since: clock.now(), said: false }
    else if (text !== '' && !this.#waitingFor.said && clock.now() - this.#waitingFor.since > 1) {
      this.#waitingFor.said = true
      say(text, 'warn')
    }
  }
}
