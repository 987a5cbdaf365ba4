import type { Bytes, BytesPerSecond, Seconds } from '../core/units.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'

/** A network to simulate, with numbers in place of names: device 0, 1, 2 …, model 0, 1 … */
export interface SimulationInput {
  readonly devices: readonly { readonly name: string; readonly speed: number }[]
  readonly links: readonly SimulatedLink[]
  readonly models: readonly {
    readonly name: string
    /** Seconds of each block at speed 1. */
    readonly work: readonly Seconds[]
    /** Bytes of activation 0 .. K. */
    readonly activations: readonly Bytes[]
  }[]
  readonly sources: readonly SimulatedSource[]
  /** Whether a device carries a block. */
  readonly carries: (device: number, model: number, block: number) => boolean
  readonly policy: CreatePolicy
}

export interface SimulatedLink {
  readonly from: number
  readonly to: number
  readonly rate: BytesPerSecond
  readonly latency: Seconds
  /** Links with the same medium share one server; undefined for a link of its own. */
  readonly medium?: number
}

export interface SimulatedSource {
  readonly name: string
  readonly device: number
  readonly model: number
  readonly weight: number
  /** How many data there are in all. */
  readonly count: number
  /** How many may be in flight at once; the others wait at the source, which counts as inference time. */
  readonly window: number
  /** When datum i becomes available, ascending; undefined for a saturated source: as soon as the window has room. */
  readonly availableAt: ((datum: number) => Seconds) | undefined
}

export interface SimulationOutput {
  /** When the last result came home. */
  readonly makespan: Seconds
  readonly events: number
  readonly sources: readonly {
    readonly name: string
    readonly admitted: number
    readonly completed: number
    /** Of each completed datum, in order of completion: available, and back. */
    readonly results: readonly {
      readonly datum: number
      readonly availableAt: Seconds
      readonly completedAt: Seconds
    }[]
    /** Why its data wait for ever, where they do. */
    readonly stuck: string | undefined
  }[]
  readonly devices: readonly { readonly name: string; readonly busy: Seconds; readonly tasks: number }[]
  readonly links: readonly {
    readonly from: number
    readonly to: number
    readonly bytes: number
    readonly busy: Seconds
  }[]
}
