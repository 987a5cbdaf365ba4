import type { Seconds } from '../../core/units.ts'

export interface EngineOptions {
  /** Threads of ONNX Runtime inside one run. @default 1 */
  readonly threads?: number
  /**
   * A run that lasts so many times what is expected of it, and at least so many seconds, is taken for one that never ends.
   * Time in which this process itself was not served does not count. @default 30 times, 10 seconds
   */
  readonly patience?: LanePatience
  /** What runs needed themselves is told apart from what other work on the machine took. @default true */
  readonly tellsOwn?: boolean
  /** On Linux: a control group's file of threads, which the lane enters when it starts. @default none */
  readonly group?: string | undefined
  /** The calibration model's least time on this machine, in milliseconds, where it is measured already. @default it is when it is asked for */
  readonly measured?: Promise<number> | undefined
  /** What computes: an execution provider, which leaves to cpu what it cannot. @default cpu */
  readonly provider?: EngineProvider | undefined
}

/** As ONNX Runtime takes it: its name, and options of its own. */
export interface EngineProvider {
  readonly name: string
  readonly options: Readonly<Record<string, string | number | boolean>>
}

export interface LanePatience {
  readonly times: number
  readonly least: Seconds
}
