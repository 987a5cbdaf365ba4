import { create } from '@bufbuild/protobuf'
import type { Clock } from '../../../core/clock.ts'
import { type Deferred, deferred } from '../../../core/deferred.ts'
import { type DeviceId, deviceId, type ModelId } from '../../../core/ids.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import type { ClusterView } from '../../cluster/cluster-view.ts'
import type { KeptActivation, KeptActivations, KeptOf } from '../../dispatch/kept-activations.ts'
import { RequestSchema, type Shown } from '../../generated/tributary/v1/wire_pb.ts'
import type { Network } from '../../ports/network.ts'
import type { WireTensor } from '../../ports/wire-tensor.ts'

export interface TrailsParts {
  readonly clock: Clock
  readonly network: Pick<Network, 'request'>
  readonly view: ClusterView
  /** What this device sent out of its data, and what came back. */
  readonly kept: KeptActivations
}

/** What a device made of a datum: of what it was given, and what others were given by it. */
export interface Segment {
  readonly device: DeviceId
  readonly from: number
  readonly until: number
  readonly input: readonly WireTensor[]
  readonly output: readonly WireTensor[]
  /** Who says what it passed on; undefined: this device, which was given it. */
  readonly receiver: DeviceId | undefined
  /** It did not show what it had been given. `after`: who had it before, and shows it. `by`: all that had a part, as far as is known. */
  readonly hidden?: { readonly after: DeviceId; readonly by: readonly DeviceId[] }
}

type Output = Pick<Segment, 'output' | 'receiver' | 'until'>

/** Of one way from home and back. Whoever sends data round in circles is not followed further. */
const MOST_HOPS = 32
/** Whoever has not shown it by then does not. */
const PATIENCE: Seconds = seconds(5)

/**
 * Follows a datum back from home to where it was sent out: each device says from whom it had it and shows what it was given. Who
 * sent something is known to its receiver for sure, so nobody is believed about what it passed on.
 */
export class Trails {
  readonly #parts: TrailsParts
  readonly #expected = new Map<string, Deferred<readonly WireTensor[] | undefined>>()

  constructor(parts: TrailsParts) {
    this.#parts = parts
  }

  /** What others did of a datum, the last first; none where that cannot be told. */
  async of(of: KeptOf, model: ModelId): Promise<readonly Segment[]> {
    const segments: Segment[] = []
    const before = new Map<DeviceId, number>()
    let came = this.#parts.kept.latest(of, 'from')
    while (came !== undefined && segments.length < MOST_HOPS) {
      const { sent, ...way } = await this.#wayBack(of, model, came, before)
      segments.push(...way.segments)
      came = sent === undefined ? undefined : this.#parts.kept.latest(of, 'from', sent.turn)
    }
    return segments
  }

  /** What was asked for has come. */
  shown(from: DeviceId, turn: number, datum: Omit<KeptOf, 'home'>, tensors: readonly WireTensor[]): void {
    this.#expected.get(keyOf(from, datum, turn))?.resolve(tensors)
  }

  /** From where it came home back to where it had been sent from here. */
  async #wayBack(of: KeptOf, model: ModelId, came: KeptActivation, before: Map<DeviceId, number>) {
    const segments: Segment[] = []
    let output: Output = { output: came.tensors, receiver: undefined, until: came.done }
    let device = came.peer
    /** Those that do not show what they were given, since something was shown. */
    let hiding: readonly DeviceId[] = []
    const made = (from: number, input: readonly WireTensor[]): Segment =>
      hiding.length === 0
        ? { ...output, device, from, input }
        : { ...output, device: hiding[0]!, from, input, hidden: { after: device, by: [...hiding, device] } }
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      const shown = await this.#ask(device, of, model, before.get(device) ?? 0, false)
      if (shown === undefined || shown.done > output.until) break
      const [from, turn] = [deviceId(shown.from), Number(shown.turn)]
      before.set(device, turn)
      if (from === of.home) {
        const sent = this.#parts.kept.latest(of, 'to', came.turn, device)
        if (sent === undefined || sent.done > output.until) return { segments, sent: undefined }
        segments.push(made(sent.done, sent.tensors))
        return { segments, sent }
      }
      const input = await this.#tensors(device, of, model, turn)
      if (input === undefined) hiding = [...hiding, device]
      else {
        segments.push(made(shown.done, input))
        output = { output: input, receiver: device, until: shown.done }
        hiding = []
      }
      device = from
    }
    // Somebody does not say whence it had it: all that was done since it left here is looked at together.
    const sent = this.#parts.kept.latest(of, 'to', came.turn)
    if (sent === undefined || sent.done > output.until) return { segments, sent: undefined }
    const hidden = { after: sent.peer, by: [...hiding, device, sent.peer] }
    const last = { ...output, device: hidden.by[0]!, from: sent.done, input: sent.tensors, hidden }
    return { segments: [...segments, last], sent }
  }

  async #ask(
    device: DeviceId,
    of: KeptOf,
    model: ModelId,
    before: number,
    tensors: boolean
  ): Promise<Shown | undefined> {
    const { source, datum, attempt, token = new Uint8Array() } = of
    if (device === of.home || !this.#parts.view.isUp(device)) return undefined
    const value = { source, datum: BigInt(datum), attempt, model, before: BigInt(before), tensors, token }
    const request = create(RequestSchema, { body: { case: 'show', value } })
    try {
      const { body } = await this.#parts.network.request(device, request, { timeout: PATIENCE })
      return body.case === 'shown' ? body.value : undefined
    } catch {
      return undefined // it is gone, or does not answer
    }
  }

  /** What was given to a device, at that turn of it. */
  async #tensors(
    device: DeviceId,
    of: KeptOf,
    model: ModelId,
    turn: number
  ): Promise<readonly WireTensor[] | undefined> {
    const key = keyOf(device, of, turn)
    const coming = deferred<readonly WireTensor[] | undefined>()
    this.#expected.set(key, coming)
    const over = new AbortController()
    const late = this.#parts.clock.sleep(PATIENCE, { signal: over.signal }).then(
      () => undefined,
      () => undefined
    )
    try {
      const shown = await this.#ask(device, of, model, turn + 1, true)
      return shown === undefined || Number(shown.turn) !== turn ? undefined : await Promise.race([coming.promise, late])
    } finally {
      over.abort()
      this.#expected.delete(key)
    }
  }
}

const keyOf = (from: DeviceId, { source, datum, attempt }: Omit<KeptOf, 'home'>, turn: number): string =>
  `${from} ${turn} ${datum} ${attempt} ${source}`
