import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Scenario } from '../../core/scenario.ts'
import type { Seconds } from '../../core/units.ts'
import type { DatumSpan, TaskSpan, TransferSpan } from '../../report/run-trace.ts'
import { sourceIdOf } from '../../runtime/device/source-runner.ts'
import { type DatumStep, datumStepSchema } from '../../runtime/ports/datum-step.ts'
import { MAX_SPANS } from '../simulate/span-collector.ts'

export interface DeviceTrace {
  readonly policy: string
  /** Whose it is. */
  readonly device: string
  readonly file: string
  /** The start of the run, on the machine's monotonic time. */
  readonly zero: Seconds
}

/** What the devices of a scenario told, each in its own file, on the one time axis of each run. */
export class MergedTrace {
  readonly tasks: TaskSpan[] = []
  readonly transfers: TransferSpan[] = []
  /** Spans more than a trace holds. */
  left = 0
  readonly #data = new Map<string, DatumSpan>()
  /** Names by the ids that are unique in the cluster. */
  readonly #sources: ReadonlyMap<string, string>

  constructor({ sources, devices }: Pick<Scenario, 'sources' | 'devices'>) {
    this.#sources = new Map(sources.map(({ name, device }) => [sourceIdOf(name, devices[device]!.name), name]))
  }

  get data(): readonly DatumSpan[] {
    return [...this.#data.values()]
  }

  /** A device that was never there has no file; a line that a killed one left unfinished is none. */
  async add(trace: DeviceTrace): Promise<void> {
    const lines = createInterface({ input: createReadStream(trace.file) })
    try {
      for await (const text of lines) {
        const line = datumStepSchema.safeParse(parsed(text))
        const source = line.success ? this.#sources.get(line.data.source) : undefined
        if (line.success && source !== undefined) this.#take({ ...line.data, source }, trace)
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  #take(line: DatumStep, { policy, device, zero }: DeviceTrace): void {
    const at = (instant: number): number => Math.max(0, instant - zero)
    const { source, datum } = line
    const key = `${policy}/${source}/${datum}`
    if (line.did === 'ended') {
      if (line.outcome !== 'result') return
      const span = this.#data.get(key)
      if (span !== undefined) this.#data.set(key, { ...span, end: at(line.at) })
      return
    }
    if (this.tasks.length + this.transfers.length + this.#data.size >= MAX_SPANS) this.left++
    else if (line.did === 'ran') {
      const { model, block, start, end } = line
      this.tasks.push({ policy, device, source, datum, model, block, start: at(start), end: at(end) })
    } else if (line.did === 'sent') {
      const { to, activation, bytes, start, end } = line
      this.transfers.push({
        ...{ policy, from: device, to, source, datum, activation, bytes },
        ...{ start: at(start), end: at(end) }
      })
    } else {
      // Admitted again by a source that was killed: from then on its inference time counts.
      this.#data.set(key, { policy, source, device, datum, start: at(line.available), admitted: at(line.at) })
    }
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
