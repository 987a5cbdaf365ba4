import { create } from '@bufbuild/protobuf'
import type { Clock } from '../../../core/clock.ts'
import type { DeviceId } from '../../../core/ids.ts'
import { parseBounded } from '../../../core/parse-bounded.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import type { ClusterView } from '../../cluster/cluster-view.ts'
import { RequestSchema } from '../../generated/tributary/v1/wire_pb.ts'
import type { DatumStep } from '../../ports/datum-step.ts'
import type { Network } from '../../ports/network.ts'
import { shiftStep } from '../../ports/shift-step.ts'
import { ClockOffset } from './clock-offset.ts'
import type { ClusterStep, ClusterSteps } from './cluster-steps.ts'
import { type DeviceSteps, deviceStepsSchema } from './device-steps.ts'
import type { RecentSteps, WantedSteps } from './recent-steps.ts'

export interface StepWatchParts {
  readonly clock: Clock
  readonly network: Network
  readonly view: ClusterView
  /** Of this device. */
  readonly own: RecentSteps
}

interface Watched {
  life: string
  after: number
  offset: ClockOffset
}

/** Who does not answer in this time is left out. */
const PATIENCE: Seconds = seconds(2)
/** Questions about the clock alone, before the first steps of a device. */
const CLOCK_QUESTIONS = 4

type Told = Omit<ClusterSteps['devices'][number], 'id' | 'name'> & { readonly steps: readonly DatumStep[] }

/** What all devices do, told as it goes on: each `poll` has what is new since the one before. Not polled, nothing is asked. */
export class StepWatch {
  readonly #parts: StepWatchParts
  readonly #watched = new Map<DeviceId, Watched>()

  constructor(parts: StepWatchParts) {
    this.#parts = parts
  }

  /** @param wanted of each device; `after` counts for none: each is asked for what is new */
  async poll(wanted: Omit<WantedSteps, 'after'> = {}): Promise<ClusterSteps> {
    const { clock, network, view } = this.#parts
    const peers = [...network.peers()].flatMap(([peer, role]) => (role === 'device' ? [peer] : []))
    for (const known of this.#watched.keys())
      if (known !== network.self && !peers.includes(known)) this.#watched.delete(known)
    const all = await Promise.all(
      [network.self, ...peers].map(async id => ({
        id,
        name: view.nameOf(id),
        ...(id === network.self ? this.#own(wanted) : await this.#ask(id, wanted))
      }))
    )
    return {
      now: clock.now(),
      devices: all.map(({ steps: _, ...device }) => device),
      steps: all
        .flatMap(({ id: device, steps }) => steps.map((step): ClusterStep => ({ device, ...step })))
        .sort((a, b) => beginOf(a) - beginOf(b))
    }
  }

  #own(wanted: WantedSteps): Told {
    const { own, network } = this.#parts
    const watched = this.#of(network.self)
    const told = own.after({ ...wanted, after: watched.after })
    watched.after = own.made
    return { ...told, within: 0, because: '' }
  }

  async #ask(peer: DeviceId, wanted: WantedSteps): Promise<Told> {
    const watched = this.#of(peer)
    try {
      await this.#meet(peer, watched)
      const { steps, missed } = await this.#question(peer, watched, { ...wanted, after: watched.after })
      const { toOurs } = watched.offset
      const within = watched.offset.within(this.#parts.clock.now())
      return { steps: steps.map(step => shiftStep(step, toOurs)), missed, within, because: '' }
    } catch (error) {
      return { steps: [], missed: 0, within: 0, because: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Its clock is asked for alone, at first and where its process is another one: with its life numbers and clock begin anew. */
  async #meet(peer: DeviceId, watched: Watched): Promise<void> {
    const { life } = await this.#question(peer, watched, { most: 0 })
    if (life === watched.life) return
    Object.assign(watched, { life, after: 0, offset: new ClockOffset() })
    for (let i = 1; i < CLOCK_QUESTIONS; i++) await this.#question(peer, watched, { most: 0 })
  }

  async #question(peer: DeviceId, watched: Watched, wanted: WantedSteps): Promise<DeviceSteps> {
    const { clock, network } = this.#parts
    const { after = 0, most = MOST, source = '', datum, every = 0 } = wanted
    const value = {
      after: BigInt(after),
      most,
      source,
      every,
      ...(datum === undefined ? {} : { datum: BigInt(datum) })
    }
    const request = create(RequestSchema, { body: { case: 'steps', value } })
    const asked = clock.now()
    const reply = await network.request(peer, request, { timeout: PATIENCE })
    const answered = clock.now()
    if (reply.body.case !== 'steps') throw new Error(reply.error.slice(0, 200))
    const told = deviceStepsSchema.parse(parseBounded(reply.body.value))
    watched.offset.add(asked, answered, told.now)
    if (most > 0) watched.after = told.next
    return told
  }

  #of(device: DeviceId): Watched {
    const known = this.#watched.get(device) ?? { life: '', after: 0, offset: new ClockOffset() }
    this.#watched.set(device, known)
    return known
  }
}

/** More are not told at once. */
const MOST = 10_000

const beginOf = (step: DatumStep): number =>
  step.did === 'ran' || step.did === 'sent' ? step.start : step.did === 'admitted' ? step.available : step.at
