import { readdirSync, readFileSync } from 'node:fs'

/** Megabytes, and how many open files, at an instant in seconds. */
export interface ProcessSample {
  readonly at: number
  readonly megabytes: number
  readonly files: number
}

/** One process, from its start to its end. */
export interface ProcessLife {
  readonly name: string
  readonly pid: number
  readonly samples: ProcessSample[]
}

/** What the device processes that this one started hold, as Linux tells it; elsewhere there is nothing to see. */
export class ProcessWatch {
  readonly #lives = new Map<number, ProcessLife>()

  /** @returns how many there are */
  look(at: number): number {
    const devices = children().flatMap(pid => {
      const name = deviceName(pid)
      return name === undefined ? [] : [{ pid, name }]
    })
    for (const { pid, name } of devices) {
      const life = this.#lives.get(pid) ?? { name, pid, samples: [] }
      this.#lives.set(pid, life)
      try {
        const kibibytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
        life.samples.push({ at, megabytes: (kibibytes * 1024) / 1e6, files: readdirSync(`/proc/${pid}/fd`).length })
      } catch {
        // It ended just now.
      }
    }
    return devices.length
  }

  lives(): readonly ProcessLife[] {
    return [...this.#lives.values()]
  }
}

const children = (): number[] => {
  try {
    const { pid } = process
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

const deviceName = (pid: number): string | undefined => {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const at = words.indexOf('--name')
    return at === -1 ? undefined : words[at + 1]
  } catch {
    return undefined
  }
}

/** Growth per minute by least squares over the samples from `after` seconds of the life on. */
export const slopeOf = ({ samples }: ProcessLife, of: 'megabytes' | 'files', after: number): number => {
  const first = samples[0]?.at ?? 0
  const kept = samples.filter(({ at }) => at - first >= after)
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  const [x, y] = [mean(kept.map(({ at }) => at)), mean(kept.map(sample => sample[of]))]
  const spread = kept.reduce((sum, { at }) => sum + (at - x) ** 2, 0)
  const together = kept.reduce((sum, sample) => sum + (sample.at - x) * (sample[of] - y), 0)
  return spread > 0 ? (60 * together) / spread : 0
}
