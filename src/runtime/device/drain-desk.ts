import { create } from '@bufbuild/protobuf'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import { type DrainRequest, type Reply, ReplySchema, RequestSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { Network } from '../ports/network.ts'
import { HANDOVER_PATIENCE } from './drain.ts'
import { MAY_NOT_COMMAND, mayCommand } from './may-command.ts'

export interface DrainDeskParts {
  readonly view: ClusterView
  readonly network: Network
  /** Drains this device. @param asker for the log @returns why others have not taken over; undefined: only who runs it can stop it */
  readonly drainSelf: ((asker: string) => Promise<string>) | undefined
}

/** Another device is given a little longer than it takes. */
const PATIENCE: Seconds = seconds(HANDOVER_PATIENCE + 10)

/** Has any device of the cluster leave: this one, or another one by its own desk. */
export class DrainDesk {
  readonly #parts: DrainDeskParts

  constructor(parts: DrainDeskParts) {
    this.#parts = parts
  }

  /**
   * @param wait until others have taken over what it carries, or have not in time
   * @returns why they have not, '' where they have; undefined where that is not waited for @throws Error in words
   */
  async drain(device: DeviceId, asker: string, wait: boolean): Promise<string | undefined> {
    const { view, network, drainSelf } = this.#parts
    if (device !== view.self) {
      const request = create(RequestSchema, { body: { case: 'drain', value: { wait } } })
      const reply = await network.request(device, request, wait ? { timeout: PATIENCE } : {})
      if (reply.error !== '') throw new Error(reply.error)
      return reply.body.case === 'drained' ? reply.body.value.because : undefined
    }
    if (drainSelf === undefined) throw new Error('this device is run by a program, which alone can stop it')
    const over = drainSelf(asker)
    if (wait) return over
    over.catch(() => {}) // it was stopped meanwhile
    return undefined
  }

  /** Never rejects: what is wrong is in the reply. */
  async answer(from: DeviceId, { device, wait }: DrainRequest): Promise<Reply> {
    const { view, network } = this.#parts
    const looksOn = network.peers().get(from) === 'observer'
    const asker = looksOn ? `a command (${view.nameOf(from)})` : view.nameOf(from)
    const wanted = device === '' ? view.self : deviceId(device)
    if (!mayCommand(network, from, wanted)) return create(ReplySchema, { error: MAY_NOT_COMMAND })
    try {
      const because = await this.drain(wanted, asker, wait)
      return create(ReplySchema, { body: { case: 'drained', value: because === undefined ? {} : { because } } })
    } catch (error) {
      return create(ReplySchema, { error: error instanceof Error ? error.message : String(error) })
    }
  }
}
