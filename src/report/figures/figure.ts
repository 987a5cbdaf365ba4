import type { TopLevelSpec } from 'vega-lite'
import type { RunReport } from '../run-report.ts'
import type { RunTrace } from '../run-trace.ts'

export interface Figure {
  /** Of its file. */
  readonly name: string
  readonly title: string
  /** What a reader should see in it, in words. */
  readonly caption: string
  readonly spec: TopLevelSpec
  /** Whoever wants it opens it. */
  readonly isAside?: boolean
}

export interface ReportData {
  readonly report: RunReport
  readonly trace: RunTrace
  /** How to get it again. */
  readonly command: string
}
