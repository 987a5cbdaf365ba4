import { z } from 'zod'
import { deviceId, modelId } from '../../core/ids.ts'
import { fingerprintOf } from '../../core/model-reference.ts'
import { Serial } from '../../core/serial.ts'
import type { Seconds } from '../../core/units.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import { ModelPins, type PinNews } from '../cluster/model-pins.ts'
import type { KeptNames } from '../ports/kept-names.ts'
import { describeRefusal } from './describe-refusal.ts'
import type { LogLevel } from './log-level.ts'

export interface PinKeeperParts {
  readonly view: () => ClusterView
  /** @default nowhere: they last as long as the process */
  readonly kept: KeptNames | undefined
  /** As `ModelPins` has them. */
  readonly accepts: readonly string[]
  readonly wallTime: () => Seconds
  readonly say: (text: string, level?: LogLevel) => void
  readonly event: (event: { readonly event: string; readonly [key: string]: unknown }) => void
}

const keptSchema = z.record(
  z.string(),
  z.object({ model: z.string(), owner: z.string(), revision: z.string().regex(/^\d{1,20}$/), since: z.number() })
)

/** Tells what names of models have come to mean to sources here, keeps it for the next start, and tells what is refused for it. */
export class PinKeeper {
  readonly pins: ModelPins
  readonly #parts: PinKeeperParts
  readonly #writing = new Serial()
  /** Since 1970, by name. */
  readonly #since = new Map<string, Seconds>()
  readonly #refused = new Map<string, string>()

  constructor(parts: PinKeeperParts) {
    this.#parts = parts
    this.pins = new ModelPins({ accepts: parts.accepts, told: news => this.#used(news) })
  }

  /** At the start, before any source. */
  async read(): Promise<void> {
    const { kept, say } = this.#parts
    try {
      const pins = keptSchema.parse((await kept?.readNames()) ?? {})
      for (const [name, { model, owner, revision, since }] of Object.entries(pins)) {
        this.#since.set(name, since as Seconds)
        this.pins.recall(name, { model: modelId(model), owner: deviceId(owner), revision: BigInt(revision) })
      }
    } catch (error) {
      const because = error instanceof Error ? error.message : error
      say(`which models were used here is not known any more, and they are pinned anew: ${because}`, 'warn')
    }
  }

  /** Called often: what is refused is told once for each that is offered. */
  tick(): void {
    for (const [name, pin] of this.pins.all()) {
      const choice = this.#parts.view().chooseModel(name)
      if (choice.kind !== 'refused') this.#refused.delete(name)
      else
        this.#tellRefusal(
          describeRefusal(choice, device => this.#parts.view().nameOf(device)),
          name,
          pin.model
        )
    }
  }

  #tellRefusal(because: string, name: string, model: string): void {
    if (this.#refused.get(name) === because) return
    this.#refused.set(name, because)
    this.#parts.say(because, 'warn')
    this.#parts.event({ event: 'modelRefused', level: 'warn', name, pinned: model, because })
  }

  #used({ name, pin, before }: PinNews): void {
    const { event, say, view } = this.#parts
    const isOther = before?.model !== pin.model
    if (isOther) {
      this.#since.set(name, this.#parts.wallTime())
      const owner = view().nameOf(pin.owner)
      const what = `${name}@${fingerprintOf(pin.model)}`
      const instead = before === undefined ? '' : `, in place of ${fingerprintOf(before.model)}`
      say(`model ${name} is ${what}, offered by ${owner}: pinned${instead}`)
      event({ event: 'modelPinned', name, model: pin.model, owner, before: before?.model ?? null })
    }
    void this.#writing
      .run(async () => this.#parts.kept?.writeNames(this.#toKeep()))
      .catch(error => say(`what model ${name} is cannot be kept for the next start: ${error.message}`, 'warn'))
  }

  #toKeep(): z.output<typeof keptSchema> {
    return Object.fromEntries(
      [...this.pins.all()].map(([name, { model, owner, revision }]) => [
        name,
        { model, owner, revision: String(revision), since: this.#since.get(name) ?? 0 }
      ])
    )
  }
}
