import type { AdmissionTerms } from '../core/admission-terms.ts'
import type { BatchCurves } from '../core/batch-curves.ts'
import type { Bytes, BytesPerSecond, Seconds } from '../core/units.ts'
import type { WholeModels } from '../core/whole-models.ts'
import type { Window } from '../core/window.ts'
import type { Placement, PlacementProblem } from '../planner/placement.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'

/** A network to simulate, with numbers in place of names: device 0, 1, 2 …, model 0, 1 … */
export interface SimulationInput {
  readonly devices: readonly {
    readonly name: string
    readonly speed: number
    /** So many data it computes at once, each at that speed. @default 1 */
    readonly lanes?: number | undefined
  }[]
  readonly links: readonly SimulatedLink[]
  readonly models: readonly {
    readonly name: string
    /** Seconds of each block at speed 1. */
    readonly work: readonly Seconds[]
    /** By device: what each block takes there at the speed that it begins with, where that was measured; undefined: work / speed. */
    readonly times?: readonly (readonly Seconds[] | undefined)[] | undefined
    /** By device: what several data of each block take at once there. Default: they run one at a time. */
    readonly batch?: BatchCurves | undefined
    /** The first block runs on the device of the datum's source and nowhere else. */
    readonly pinned?: boolean | undefined
    /** Bytes of activation 0 .. K. */
    readonly activations: readonly Bytes[]
    /** The same as they are told, where they are not what a link's time is. Default: the same. */
    readonly toldBytes?: readonly Bytes[]
  }[]
  readonly sources: readonly SimulatedSource[]
  /** Whether a device carries a block. */
  readonly carries: (device: number, model: number, block: number) => boolean
  readonly policy: CreatePolicy
  /** What changes in mid-run, in order of time. */
  readonly events?: readonly SimulatedEvent[]
  /** How long nobody notices that a device was killed. Default: 0.5 s. */
  readonly detection?: Seconds
  /** Measured time of a block on a device, where neither the model's times nor work / speed say it. */
  readonly blockTime?: (device: number, model: number, block: number) => Seconds | undefined
  /** What a transfer takes on top of size / rate and latency, on the wire and in software. Default: nothing. */
  readonly hopOverhead?: Seconds
  readonly observe?: Observer
  /** False: costs, rates and placement stay as they are at the start. Default: true. */
  readonly adapts?: boolean
  /** Places blocks anew while the network changes. Default: they stay where they are. */
  readonly replacement?: ReplacementInput
}

/** What placing anew needs, by number of device, model and block. */
export interface ReplacementInput {
  /** For blocks, in all: each lane holds its own. */
  readonly memory: readonly Bytes[]
  readonly weights: readonly (readonly Bytes[])[]
  readonly demands: readonly number[]
  /** Where the policy needs models whole. */
  readonly wholeModels: WholeModels
  readonly place: (problem: PlacementProblem) => Placement
  /** What a plan takes. Default: 0.5 s. */
  readonly planningTime?: Seconds
}

/** Told of every block that ran and every activation that was sent, when it is over. */
export interface Observer {
  ran(span: Span & { readonly device: number; readonly block: number }): void
  sent(span: Span & { readonly from: number; readonly to: number; readonly activation: number }): void
}

export interface Span {
  /** Number of the source. */
  readonly source: number
  readonly datum: number
  readonly model: number
  readonly start: Seconds
  readonly end: Seconds
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
  /** How many may be in flight at once; the others wait at the source, which counts as inference time. auto: as few as keep its throughput. */
  readonly window: Window
  /** When datum i becomes available, ascending; undefined for a saturated source: as soon as the window has room. */
  readonly availableAt: ((datum: number) => Seconds) | undefined
  /** Default: all wait their turn. */
  readonly terms?: AdmissionTerms
  /** When a saturated source starts; the instants of `availableAt` count from there too. Default: 0. */
  readonly start?: Seconds
}

export type SimulatedEvent = { readonly at: Seconds } & (
  | { readonly kind: 'speed'; readonly device: number; readonly speed: number }
  | {
      readonly kind: 'link'
      readonly links: readonly { readonly from: number; readonly to: number }[]
      readonly rate: BytesPerSecond | undefined
      readonly latency: Seconds | undefined
    }
  | { readonly kind: 'leaves'; readonly device: number; readonly how: 'kill' | 'stop' }
  | { readonly kind: 'joins'; readonly device: number }
)

export interface SimulationOutput {
  /** When the last result came home. */
  readonly makespan: Seconds
  /** Weights that were fetched for new placements. */
  readonly moved: Bytes
  readonly events: number
  readonly sources: readonly {
    readonly name: string
    /** All that have come. */
    readonly admitted: number
    readonly completed: number
    /** By the rule of the source's terms. admitted = completed + dropped + what is under way at the end. */
    readonly dropped: number
    /** Sent out again because a device that had them was lost. */
    readonly resent: number
    /** Of each completed datum, in order of completion: available, and back. */
    readonly results: readonly {
      readonly datum: number
      readonly availableAt: Seconds
      readonly completedAt: Seconds
    }[]
    /** Why its data wait for ever, where they do. */
    readonly stuck: string | undefined
  }[]
  readonly devices: readonly {
    readonly name: string
    readonly busy: Seconds
    readonly tasks: number
    /** What it carries at the end, by model; none where it is gone. */
    readonly blocks: readonly (readonly number[])[]
  }[]
  readonly links: readonly {
    readonly from: number
    readonly to: number
    readonly bytes: number
    readonly busy: Seconds
  }[]
}
