import type { ModelManifest } from '../../core/manifest.ts'
import { UserError } from '../../core/user-error.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { DataPort } from '../ports/data-port.ts'
import { whyNoModel } from './why-no-model.ts'

export interface ServedModelParts {
  readonly view: ClusterView
  /** What the source calls it; undefined: this device's own, or the cluster's first, and from then on whatever has that name. */
  readonly name: string | undefined
  /** @throws UserError when what the source reads and writes does not fit the model */
  readonly createPort: (manifest: ModelManifest) => DataPort
  readonly say: (text: string, level?: 'warn') => void
}

/** A model as a source uses it: never changed, only replaced, so that what was read for one is not taken for another. */
export interface Served {
  readonly manifest: ModelManifest
  readonly port: DataPort
  /** Of all blocks, at speed 1. */
  readonly work: number
}

/** What has become of a source's model since it was last looked at. */
export type ModelChange = 'none' | 'found' | 'replaced' | 'left' | 'back'

/** The model that a source's name means now, and the port that goes with it. */
export class ServedModel {
  readonly #parts: ServedModelParts
  #name: string | undefined
  #served: Served | undefined
  #isThere = false
  /** Why there is none that can be used. */
  #because = ''
  /** Why the model that was looked at last is none. */
  #misfit = ''
  /** Why the name means none, where some are offered by it. */
  #refusal = ''

  constructor(parts: ServedModelParts) {
    this.#parts = parts
    this.#name = parts.name
  }

  /** The last that there was, whether it is still there or not. */
  get served(): Served | undefined {
    return this.#served
  }

  /** Whether data can be sent out now. */
  get isThere(): boolean {
    return this.#isThere
  }

  /** For people; empty where nothing is waited for. */
  get waitsFor(): string {
    return this.#isThere || this.#served === undefined ? '' : `waits for model ${this.#name}`
  }

  /** Why data cannot be sent out, for people; empty where they can, or there has been no model yet. */
  get because(): string {
    return this.#isThere || this.#served === undefined ? '' : this.#because
  }

  /** Why none that is offered by its name is taken, for people; empty where none is. */
  get refusal(): string {
    return this.#refusal
  }

  /** What it is called, as far as that is known. */
  get name(): string {
    return this.#name ?? ''
  }

  /** @throws UserError when the first model there is does not fit */
  look(): ModelChange {
    const { view } = this.#parts
    const name = this.#name ?? ''
    const choice = view.chooseModel(name)
    this.#refusal = whyNoModel(name, choice, device => view.nameOf(device))
    if (choice.kind !== 'model') return this.#away(this.#refusal || `model "${name}" has left the cluster`)
    const { manifest: found } = choice
    if (found.id === this.#served?.manifest.id) return this.#again()
    this.#name ??= choice.name
    const served = this.#fitting(found)
    if (served === undefined) return this.#away(this.#misfit)
    const change = this.#served === undefined ? 'found' : 'replaced'
    this.#served = served
    this.#isThere = true
    view.useModel(this.#name)
    if (change === 'replaced')
      this.#parts.say(
        `model ${this.#name} is another now (${found.id.slice(0, 8)}); what was under way is computed anew`,
        'warn'
      )
    return change
  }

  #again(): ModelChange {
    this.#parts.view.useModel(this.#name!) // its owner may have another number for it
    if (this.#isThere) return 'none'
    this.#isThere = true
    this.#parts.say(`model ${this.#name} is back`)
    return 'back'
  }

  #away(because: string): ModelChange {
    this.#because = this.#refusal || `${because}; waits for one of that name that fits`
    if (!this.#isThere) return 'none'
    this.#isThere = false
    this.#parts.say(this.#because, 'warn')
    return 'left'
  }

  #fitting(manifest: ModelManifest): Served | undefined {
    try {
      const work = manifest.blocks.reduce((sum, block) => sum + block.work, 0)
      return { manifest, work, port: this.#parts.createPort(manifest) }
    } catch (error) {
      if (this.#served === undefined || !(error instanceof UserError)) throw error
      this.#misfit = `the new model "${this.#name}" does not fit this source: ${error.message}`
      return undefined
    }
  }
}
