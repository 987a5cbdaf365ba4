import type { Clock } from '../../src/core/clock.ts'
import { createRng, type Rng } from '../../src/core/rng.ts'
import { seconds } from '../../src/core/units.ts'
import type { RecentResults } from '../../src/dashboard/recent-results.ts'
import { type ClusterStatus, clusterStatusSchema } from '../../src/runtime/device/device-status.ts'
import type { ClusterStep, ClusterSteps } from '../../src/runtime/device/steps/cluster-steps.ts'

export interface LivelyClusterParts {
  readonly devices: number
  readonly sources: number
  /** Results per second of all sources together. */
  readonly rate: number
  readonly clock: Clock
}

const BLOCKS = 24
const MODEL = 'net'
const TICK = 0.05
const EACH_LINKS = 4

/** A made-up cluster whose numbers all change: what a node tells its dashboard of many devices that have much to do. */
export class LivelyCluster {
  readonly #parts: LivelyClusterParts
  readonly #rng: Rng = createRng('lively')
  readonly #names: readonly string[]
  readonly #frozen: ClusterStatus
  #completed = 0
  #polled = 0
  #isOver = false

  constructor(parts: LivelyClusterParts) {
    this.#parts = parts
    this.#names = Array.from({ length: parts.devices }, (_, i) => `device-${String(i).padStart(2, '0')}`)
    this.#frozen = clusterStatusSchema.parse(this.#made())
  }

  /** Results come at their rate. Ends when it is stopped. */
  async run(results: RecentResults): Promise<void> {
    const { rate, clock, sources } = this.#parts
    for (let begun = clock.now(); !this.#isOver; await clock.sleep(seconds(TICK))) {
      const due = Math.floor((clock.now() - begun) * rate)
      for (; this.#completed < due; this.#completed++) {
        const source = `source-${this.#completed % sources}@${this.#names[0]}`
        const datum = Math.floor(this.#completed / sources)
        const result = [{ index: 1, label: 'cat', score: 0.9 }]
        results.note(
          { name: `${datum}.png` },
          { source, datum, item: `${datum}.png`, result, inferenceTime: 0.1, attempts: 1 }
        )
      }
    }
  }

  stop(): void {
    this.#isOver = true
  }

  status(): ClusterStatus {
    const { rate, sources } = this.#parts
    const next = (): number => this.#rng.next()
    return {
      ...this.#frozen,
      devices: this.#frozen.devices.map(device => ({
        ...device,
        busy: 0.5 + next() / 2,
        tasks: this.#completed,
        bytesSent: 5000 * this.#completed,
        queue: { lane: Math.floor(9 * next()), links: Math.floor(5 * next()), waiting: 0 },
        links: device.links.map(link => ({ ...link, bytesSent: 1000 * this.#completed }))
      })),
      sources: this.#frozen.sources.map(source => ({
        ...source,
        completed: Math.floor(this.#completed / sources),
        inFlight: Math.floor(16 * next()),
        rate: (rate / sources) * (0.9 + next() / 5)
      }))
    }
  }

  /** What all devices did since it was asked last: of each datum that is followed, three blocks on three devices. */
  async poll({ every = 1 }: { readonly every?: number }): Promise<ClusterSteps> {
    const { clock, sources, rate } = this.#parts
    const first = Math.max(this.#polled, this.#completed - 2 * rate)
    const steps: ClusterStep[] = []
    for (let number = first; number < this.#completed; number++) {
      const datum = Math.floor(number / sources)
      if (datum % every === 0)
        steps.push(...this.#stepsOf(number, datum, clock.now() - (this.#completed - number) / rate))
    }
    this.#polled = this.#completed
    return {
      now: clock.now(),
      devices: this.#names.map(name => ({ id: name, name, within: 0.002, missed: 0, because: '' })),
      steps
    }
  }

  #stepsOf(number: number, datum: number, end: number): readonly ClusterStep[] {
    const of = { source: `source-${number % this.#parts.sources}@${this.#names[0]}`, datum }
    const at = (hop: number): number => (number + hop * hop) % this.#names.length
    const hops = [0, 1, 2].flatMap((hop): ClusterStep[] => {
      const start = end - 0.09 + hop * 0.03
      const device = this.#names[at(hop)]!
      const ran = {
        ...of,
        device,
        did: 'ran',
        model: MODEL,
        block: 8 * hop,
        ready: start - 0.004,
        start,
        end: start + 0.02
      } as const
      const sent = {
        ready: start + 0.02,
        start: start + 0.02,
        end: start + 0.03,
        bytes: 100_000,
        activation: 8 * hop + 8
      }
      return [ran, { ...of, device, did: 'sent', to: this.#names[at(hop + 1)]!, ...sent }]
    })
    const device = this.#names[0]!
    return [
      { ...of, device, did: 'admitted', available: end - 0.1, at: end - 0.09 },
      ...hops,
      { ...of, device, did: 'ended', outcome: 'result', available: end - 0.1, at: end }
    ]
  }

  #made(): unknown {
    const { devices, sources } = this.#parts
    const counters = { refusedPeers: 0, malformedFrames: 0, oversizedFrames: 0, refusedTasks: 0 }
    const blocksOf = (i: number): number[] =>
      Array.from({ length: 6 }, (_, k) => (i * 5 + k) % BLOCKS).sort((a, b) => a - b)
    return {
      answeredBy: this.#names[0],
      planner: this.#names[1],
      devices: this.#names.map((name, i) => ({
        ...{ name, id: name, speed: 1, emulated: false, memory: 64e6, policy: 'confluence', uptime: 100 },
        models: { [MODEL]: { blocks: blocksOf(i), residentBytes: 30e6 } },
        ...{ queue: { lane: 0, links: 0, waiting: 0 }, tasks: 0, busySeconds: 0, busy: 0.5, rate: 100, bytesSent: 0 },
        ...{ rss: 90e6, waiting: [], counters },
        links: Array.from({ length: EACH_LINKS }, (_, k) => ({
          ...{ to: this.#names[(i + 1 + k * k) % devices], rate: 12e6, latency: 0.002, bytesSent: 0, emulated: false }
        }))
      })),
      sources: Array.from({ length: sources }, (_, i) => ({
        ...{ name: `source-${i}`, device: this.#names[0], model: MODEL, state: 'running', available: 1e6 },
        ...{ admitted: 0, completed: 0, inFlight: 0, lost: 0, duplicates: 0, resent: 0, rate: 0 },
        inferenceTime: { mean: 0.1, p50: 0.1, p95: 0.2, p99: 0.3 }
      })),
      placement: {
        ...{ epoch: 3, ready: true, unplaced: [] },
        models: { [MODEL]: Object.fromEntries(this.#names.map((name, i) => [name, blocksOf(i)])) }
      },
      losses: { lost: 0, duplicates: 0, resent: 0, devicesLost: 0 }
    }
  }
}
