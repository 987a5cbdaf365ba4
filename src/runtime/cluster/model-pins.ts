import type { DeviceId, ModelId } from '../../core/ids.ts'
import { parseModelReference } from '../../core/model-reference.ts'

/** What a name means on this device from its first use on. */
export interface ModelPin {
  readonly model: ModelId
  /** Who called it so: that one alone may put another in its place. */
  readonly owner: DeviceId
  /** The owner's, of the name. */
  readonly revision: bigint
}

/** A name that was used, and means something from now on, or something else. */
export interface PinNews {
  readonly name: string
  readonly pin: ModelPin
  /** The model that it meant. */
  readonly before: ModelPin | undefined
}

export interface ModelPinsParts {
  /** `name@fingerprint` each: what the name means and nothing else, whatever it meant. @default none */
  readonly accepts?: readonly string[]
  /** Of what is used for the first time, and of what has come in its place. */
  readonly told?: (news: PinNews) => void
}

/** What names of models mean to sources here. */
export class ModelPins {
  readonly #pins = new Map<string, ModelPin>()
  readonly #accepted: ReadonlyMap<string, string>
  readonly #told: (news: PinNews) => void

  constructor({ accepts = [], told = () => {} }: ModelPinsParts = {}) {
    const references = accepts.map(parseModelReference)
    this.#accepted = new Map(references.map(({ name, fingerprint = '' }) => [name, fingerprint]))
    this.#told = told
  }

  /** The fingerprint of what the name is told to mean. */
  accepted(name: string): string | undefined {
    return this.#accepted.get(name)
  }

  get(name: string): ModelPin | undefined {
    return this.#pins.get(name)
  }

  all(): ReadonlyMap<string, ModelPin> {
    return this.#pins
  }

  /** As it was kept. */
  recall(name: string, pin: ModelPin): void {
    this.#pins.set(name, pin)
  }

  use(name: string, pin: ModelPin): void {
    const before = this.#pins.get(name)
    if (before?.model === pin.model && before.revision >= pin.revision) return
    this.#pins.set(name, pin)
    this.#told({ name, pin, before })
  }
}
