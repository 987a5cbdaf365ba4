import type { BytesPerSecond, Seconds } from '../../core/units.ts'
import type { NodeOrder } from '../node/take-orders.ts'

/** Another rate or latency of a directed link. SI units. */
export interface LinkChange {
  readonly rate?: BytesPerSecond
  readonly latency?: Seconds
}

/** What the devices of an emulated network stand on: how each is started, and where its speed and links come from. */
export interface Footing extends AsyncDisposable {
  /** Program and arguments that stand before a device's own command line; empty for a plain process. */
  launcher(device: number): readonly string[]
  /**
   * Flags of `tributary node` for where it listens, its speed and its links.
   * @param ids of all devices, in the scenario's order
   */
  flags(device: number, ids: readonly string[]): readonly string[]
  /** The device has another speed from now on. @param order tells it something on its standard input */
  slow(device: number, speed: number, order: (order: NodeOrder) => void): Promise<void>
  relink(from: number, to: number, change: LinkChange, peer: string, order: (order: NodeOrder) => void): Promise<void>
}
