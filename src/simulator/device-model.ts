import type { Handovers } from '../cluster/handovers.ts'
import type { ReportRule } from '../cluster/report-rule.ts'
import type { WindowStretch } from '../cluster/window-stretch.ts'
import type { Dispatcher } from '../scheduler/dispatch/dispatcher.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'

/** A simulated device as it is, whatever others believe of it. */
export interface DeviceModel {
  speed: number
  up: boolean
  /** It said goodbye: it hands on what it holds, and takes nothing new. */
  leaving: boolean
  /** Counts its lives: what belongs to an earlier one is gone. */
  life: number
  /** Until when a death goes unnoticed. */
  noticedAt: number
  /** Of this life. */
  dispatcher: Dispatcher<LiveTask>
  /** Of this life: what it tells the others, and when. */
  reports: ReportRule
  /** Of this life. */
  stretch: WindowStretch
  handovers: Handovers<number>
  /** Of earlier lives. */
  tasks: number
  busy: number
}
