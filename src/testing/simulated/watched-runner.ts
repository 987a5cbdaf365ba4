import { mostUnderWay } from '../../core/window.ts'
import type { BlockFailure } from '../../runtime/device/is-proven.ts'
import type { DatumRef } from '../../runtime/device/source-port.ts'
import { SourceRunner, type SourceRunnerParts } from '../../runtime/device/source-runner.ts'
import type { DeviceTask } from '../../runtime/dispatch/device-task.ts'
import type { ResendLaw } from './resend-law.ts'

/** A source as in production, of which a law is told what goes out and comes back. */
export class WatchedRunner extends SourceRunner {
  readonly #law: ResendLaw
  /** Data that are out. */
  readonly #open: Set<number>

  constructor(parts: SourceRunnerParts, law: ResendLaw) {
    const open = new Set<number>()
    const most = mostUnderWay(parts.spec.window)
    const submit = (task: DeviceTask): void => {
      open.add(task.datum)
      if (open.size > most) law.tooMany(task.source, open.size, most)
      law.submitted(task.source, task.datum, task.attempt)
      parts.submit(task)
    }
    super({ ...parts, submit })
    this.#law = law
    this.#open = open
  }

  override delivered(task: DeviceTask): void {
    this.#law.cameBack(this.id, task.datum)
    this.#open.delete(task.datum)
    super.delivered(task)
  }

  override failed(ref: DatumRef, failure: BlockFailure): void {
    this.#law.cameBack(this.id, ref.datum)
    this.#open.delete(ref.datum)
    super.failed(ref, failure)
  }

  override tick(): void {
    this.#law.ticked()
    super.tick()
  }
}
