import type { BatchCurves } from '../core/batch-curves.ts'
import type { Bytes, BytesPerSecond, Seconds } from '../core/units.ts'

/** A network and its demand, with numbers for names. */
export interface CapacityProblem {
  readonly devices: readonly {
    readonly name: string
    readonly speed: number
    /** Where each of several lanes holds its own blocks, of each. */
    readonly memory: Bytes
    /** So many data it computes at once, each at that speed. @default 1 */
    readonly lanes?: number | undefined
  }[]
  readonly links: readonly {
    readonly from: number
    readonly to: number
    readonly rate: BytesPerSecond
    readonly latency: Seconds
    readonly medium?: number
  }[]
  readonly models: readonly {
    readonly name: string
    readonly work: readonly Seconds[]
    /** By device: what each block takes there, where that was measured; undefined: work / speed. */
    readonly times?: readonly (readonly Seconds[] | undefined)[] | undefined
    /** By device: what several data of each block take at once there; undefined: they run one at a time. */
    readonly batch?: BatchCurves | undefined
    /** The first block runs on the device of the source and nowhere else. */
    readonly pinned?: boolean | undefined
    readonly weights: readonly Bytes[]
    readonly activations: readonly Bytes[]
  }[]
  readonly sources: readonly {
    readonly name: string
    readonly device: number
    readonly model: number
    /** Data per second, or in proportion to each other where sources are saturated or finite. */
    readonly demand: number
  }[]
}

export type Carries = (device: number, model: number, block: number) => boolean
