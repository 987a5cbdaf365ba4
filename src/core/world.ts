import type { BatchCurve } from './batch-curve.ts'
import type { DeviceId, ModelId } from './ids.ts'
import { LeastTimes } from './least-times.ts'
import { type Bytes, type BytesPerSecond, bytesPerSecond, type Seconds, seconds } from './units.ts'

/** A directed link. Links of one shared medium have the same `resource`: they queue for the same air. */
export interface LinkView {
  readonly from: number
  readonly to: number
  rate: BytesPerSecond
  latency: Seconds
  readonly resource: number
  up: boolean
}

export interface DeviceView {
  id: DeviceId
  /** False while it is lost: nothing is sent to it and nothing is planned on it. */
  up: boolean
  /** Relative to the reference machine; for blocks whose time was not measured there. */
  speed: number
  /** False of who came for one job: what it is not to compute does not travel over it. */
  relays: boolean
  /** So many data it computes at once, each in the time that the block takes. */
  lanes: number
  /** Its worker among the resources of this world. */
  readonly resource: number
}

export interface ModelCosts {
  readonly id: ModelId
  /** Time of each block at speed 1. */
  readonly work: readonly Seconds[]
  /** Bytes of activation 0 .. K. */
  readonly activations: readonly Bytes[]
  /** The first block runs on the device of the datum's source and nowhere else. Default: any device that carries it. */
  readonly pinned?: boolean
}

/** What is told of a network cannot make a resource dearer, or cheaper, than by this. */
const DEAREST = 1e6

/**
 * What one device believes of its network: who is there, what each carries, how fast workers and links are.
 * Policies read it; the simulator and the running device write it. Devices, models and resources are numbered
 * 0, 1, 2 … in the order in which they were first heard of. A number is never used for another, but for that of a device or
 * a link which is gone for good (`retire`).
 *
 * A resource is something whose time is used up: a worker, all its lanes together, a link, or a shared medium.
 */
export class World {
  readonly devices: DeviceView[] = []
  readonly models: ModelCosts[] = []
  /** Outgoing links of each device. */
  readonly links: LinkView[][] = []
  resources = 0
  /** No link was ever faster. */
  fastestRate: BytesPerSecond = bytesPerSecond(0)
  /** By device: no link from it was ever faster, none to it. */
  readonly fastestFrom: BytesPerSecond[] = []
  readonly fastestTo: BytesPerSecond[] = []
  /** No link ever had less. */
  leastLatency: Seconds = seconds(Number.POSITIVE_INFINITY)
  /** Grows with every change, so that what is derived from a world can be kept until it changes. */
  version = 0
  /** Grows when a block may take another time: a device comes or goes, a model is new, a time is measured. */
  pace = 0
  /** Grows when a way may have opened or closed: a device comes or goes, a block is carried or no longer, a link is new. */
  reach = 0
  readonly #deviceIndex = new Map<DeviceId, number>()
  /** Numbers of devices, and of resources of links, that are gone for good. */
  readonly #vacant: { readonly devices: number[]; readonly links: number[] } = { devices: [], links: [] }
  readonly #modelIndex = new Map<ModelId, number>()
  /** [from]: by to. */
  readonly #linkTo: Map<number, LinkView>[] = []
  /** Resources that are shared media. */
  readonly #media = new Set<number>()
  /** By resource: what the same use of it costs now, to what it cost when it was first heard of. */
  readonly #dearness: number[] = []
  /** Links of each resource: more than one of a shared medium. */
  readonly #linksOf: number[] = []
  /** [model], at [device * blocks + block]: measured seconds, or NaN. In one piece: it is looked at for every block that runs. */
  readonly #times: Float64Array[] = []
  /** By model. */
  readonly #least: LeastTimes[] = []
  /** [model][device][block]: what several data take at once, where that gains anything. */
  readonly #curves: Map<number, BatchCurve>[][] = []
  #batchers = 0
  readonly #rounds: { readonly pace: number; readonly reach: number; readonly time: number }[] = []
  /** Likewise: 1 where the block is loaded and ready. */
  readonly #carried: Uint8Array[] = []

  /** @returns the new device's number, or the old one when it is known (it is then up again) */
  addDevice(id: DeviceId, speed = 1, lanes = 1): number {
    const known = this.#deviceIndex.get(id)
    if (known !== undefined) {
      this.setUp(known, true)
      return known
    }
    const vacant = this.#vacant.devices.pop()
    if (vacant !== undefined) return this.#moveIn(vacant, id, speed, lanes)
    const index = this.devices.length
    this.devices.push({ id, up: true, speed, relays: true, lanes, resource: this.resources++ })
    this.links.push([])
    this.fastestFrom.push(bytesPerSecond(0))
    this.fastestTo.push(bytesPerSecond(0))
    this.#linkTo.push(new Map())
    this.#deviceIndex.set(id, index)
    this.reach++
    for (const [m, { work }] of this.models.entries()) if (work.length > 0) this.#addRow(m)
    this.#timesChanged(index)
    this.version++
    return index
  }

  #moveIn(index: number, id: DeviceId, speed: number, lanes: number): number {
    const device = this.devices[index]!
    Object.assign(device, { id, speed, up: true, relays: true, lanes })
    this.#dearness[device.resource] = 1
    this.#deviceIndex.set(id, index)
    this.#timesChanged(index)
    this.reach++
    this.version++
    return index
  }

  /** Devices, up or not, without those that are gone for good. */
  known(): readonly DeviceView[] {
    return [...this.#deviceIndex.values()].map(index => this.devices[index]!)
  }

  /**
   * A device is gone for good, with all its links: nothing is known of it any more. Its number is that of the next device
   * which is heard of. @returns its number; undefined where there is no such device
   */
  retire(id: DeviceId): number | undefined {
    const index = this.#deviceIndex.get(id)
    if (index === undefined) return undefined
    this.setUp(index, false)
    this.forget(index)
    for (const from of this.devices.keys())
      for (const to of [...this.#linkTo[from]!.keys()]) if (from === index || to === index) this.#removeLink(from, to)
    this.#deviceIndex.delete(id)
    this.#vacant.devices.push(index)
    return index
  }

  #removeLink(from: number, to: number): void {
    const { resource } = this.link(from, to)!
    this.#linkTo[from]!.delete(to)
    this.links[from] = this.links[from]!.filter(link => link.to !== to)
    const left = this.#linksOf[resource]! - 1
    this.#linksOf[resource] = left
    if (left > 0 || this.#media.has(resource)) return
    this.#dearness[resource] = 1
    this.#vacant.links.push(resource)
  }

  addModel(costs: ModelCosts): number {
    const known = this.#modelIndex.get(costs.id)
    if (known !== undefined) return known
    const index = this.models.length
    this.models.push(costs)
    this.#modelIndex.set(costs.id, index)
    this.#times.push(new Float64Array())
    this.#least.push(new LeastTimes(costs.work.length))
    this.#carried.push(new Uint8Array())
    this.#curves.push([])
    for (let n = 0; n < this.devices.length; n++) this.#addRow(index)
    this.pace++
    this.version++
    return index
  }

  /**
   * Nobody computes with it any more, and no datum of it is left: what was known of it is forgotten. Its number stays empty, as somebody
   * may have noted that; where it comes again it is another.
   */
  retireModel(id: ModelId): void {
    const index = this.#modelIndex.get(id)
    if (index === undefined) return
    for (const curves of this.#curves[index]!) this.#batchers -= curves.size
    this.#modelIndex.delete(id)
    this.models[index] = { id, work: [], activations: [] }
    this.#times[index] = new Float64Array()
    this.#carried[index] = new Uint8Array()
    this.#curves[index] = []
    this.#least[index] = new LeastTimes(0)
    this.pace++
    this.reach++
    this.version++
  }

  /** A resource for a shared medium; pass it to the `setLink` of each of its links. */
  addMedium(): number {
    this.#media.add(this.resources)
    return this.resources++
  }

  /**
   * How many times as long the same use of a resource takes as at first: a worker's by the blocks that it carries, all
   * together; a medium's by its links, as their geometric mean. Work that was committed in seconds has grown by as much.
   */
  dearness(resource: number): number {
    return this.#dearness[resource] ?? 1
  }

  /** Add a link or change the rate and latency of a known one. */
  setLink(from: number, to: number, rate: BytesPerSecond, latency: Seconds, medium?: number): LinkView {
    this.version++
    if (rate > this.fastestRate) this.fastestRate = rate
    if (rate > this.fastestFrom[from]!) this.fastestFrom[from] = rate
    if (rate > this.fastestTo[to]!) this.fastestTo[to] = rate
    if (latency < this.leastLatency) this.leastLatency = latency
    const known = this.link(from, to)
    if (known !== undefined) {
      this.#grewBy(known.resource, (known.rate / rate) ** (1 / this.#linksOf[known.resource]!))
      return Object.assign(known, { rate, latency, up: true })
    }
    const link: LinkView = {
      from,
      to,
      rate,
      latency,
      resource: medium ?? this.#vacant.links.pop() ?? this.resources++,
      up: true
    }
    this.links[from]!.push(link)
    this.reach++
    this.#linkTo[from]!.set(to, link)
    this.#linksOf[link.resource] = (this.#linksOf[link.resource] ?? 0) + 1
    return link
  }

  link(from: number, to: number): LinkView | undefined {
    return this.#linkTo[from]!.get(to)
  }

  deviceIndex(id: DeviceId): number | undefined {
    return this.#deviceIndex.get(id)
  }

  modelIndex(id: ModelId): number | undefined {
    return this.#modelIndex.get(id)
  }

  setUp(device: number, up: boolean): void {
    if (this.devices[device]!.up !== up) {
      this.reach++
      this.pace++
    }
    this.devices[device]!.up = up
    this.version++
  }

  setRelays(device: number, relays: boolean): void {
    if (this.devices[device]!.relays === relays) return
    this.devices[device]!.relays = relays
    this.reach++
    this.version++
  }

  setLanes(device: number, lanes: number): void {
    if (this.devices[device]!.lanes === lanes) return
    this.#changeTimes(device, () => {
      this.devices[device]!.lanes = lanes
    })
    this.pace++
  }

  setSpeed(device: number, speed: number): void {
    if (this.devices[device]!.speed === speed) return
    this.#changeTimes(device, () => {
      this.devices[device]!.speed = speed
    })
    this.#timesChanged(device)
  }

  /** Before the block is carried, where both are news: that it is there makes nothing dearer. */
  setBlockTime(device: number, model: number, block: number, time: Seconds): void {
    const times = this.#times[model]!
    const at = this.#at(device, model, block)
    if (times[at] === time) return
    this.#changeTimes(device, () => {
      times[at] = time
    })
    this.#least[model]!.changed(block, time)
    this.pace++
  }

  setCarried(device: number, model: number, block: number, carried: boolean): void {
    if (this.isMarkedCarried(device, model, block) !== carried) this.reach++
    this.#carried[model]![this.#at(device, model, block)] = carried ? 1 : 0
    this.version++
  }

  /** Another process has taken the device's place: of what this one carries, and how long it takes, nothing is known. */
  forget(device: number): void {
    for (const [m, { work }] of this.models.entries()) {
      if (work.length === 0) continue
      const row = this.#at(device, m, 0)
      this.#carried[m]!.fill(0, row, row + work.length)
      this.#times[m]!.fill(Number.NaN, row, row + work.length)
      this.#batchers -= this.#curves[m]![device]!.size
      this.#curves[m]![device]!.clear()
    }
    this.#timesChanged(device)
    this.reach++
    this.version++
  }

  /** Measured where it was, otherwise the block's work divided by the device's speed. */
  blockTime(device: number, model: number, block: number): Seconds {
    const measured = this.#times[model]![this.#at(device, model, block)]!
    return Number.isNaN(measured)
      ? seconds(this.models[model]!.work[block]! / this.devices[device]!.speed)
      : seconds(measured)
  }

  /** Seconds of the whole device that a block takes: it has so many lanes, and the block one of them. */
  use(device: number, model: number, block: number): Seconds {
    return seconds(this.blockTime(device, model, block) / this.devices[device]!.lanes)
  }

  /** `blockTime` of every block, at [block * devices + device]; Infinity where `mayRun` says no. */
  runTimes(model: number, home: number, into: Float64Array): void {
    const { work, pinned = false } = this.models[model]!
    const count = this.devices.length
    const carried = this.#carried[model]!
    const times = this.#times[model]!
    for (const [n, { up, speed }] of this.devices.entries()) {
      const row = n * work.length
      for (let k = 0, at = n; k < work.length; k++, at += count) {
        const measured = times[row + k]!
        if (!up || carried[row + k] !== 1) into[at] = Number.POSITIVE_INFINITY
        else into[at] = Number.isNaN(measured) ? work[k]! / speed : measured
      }
      if (pinned && n !== home) into[n] = Number.POSITIVE_INFINITY
    }
  }

  /** @param curve undefined: data are run one at a time there */
  setBatchCurve(device: number, model: number, block: number, curve: BatchCurve | undefined): void {
    const curves = this.#curves[model]![device]!
    if (curves.get(block) === curve) return
    this.#batchers -= curves.size
    if (curve === undefined) curves.delete(block)
    else curves.set(block, curve)
    this.#batchers += curves.size
    this.version++
  }

  /** What several data take at once there; undefined where that gains nothing. */
  batchCurve(device: number, model: number, block: number): BatchCurve | undefined {
    return this.#batchers === 0 ? undefined : this.#curves[model]![device]!.get(block)
  }

  /** Whether anybody runs several data at once. */
  get batches(): boolean {
    return this.#batchers > 0
  }

  /**
   * What a datum takes of a lane where the device's queue is so long: where several data of a block are run at once, as many as then
   * wait for it on average share its time. In a queue as long as all that is carried takes, one of each waits.
   */
  sharedTime(device: number, model: number, block: number, queue: Seconds): Seconds {
    const alone = this.blockTime(device, model, block)
    const curve = this.batchCurve(device, model, block)
    if (curve === undefined) return alone
    const round = this.#roundOf(device)
    return seconds(alone * (round > 0 ? curve.share(1 + queue / round) : 1))
  }

  /** Of each block a time that it takes on no device less: nearly the least of them. */
  leastTimes(model: number): Float64Array {
    return this.#least[model]!.of(this.devices.length, (device, block) => this.blockTime(device, model, block))
  }

  /** Whether the device is up and has the block loaded. */
  carries(device: number, model: number, block: number): boolean {
    return this.devices[device]!.up && this.isMarkedCarried(device, model, block)
  }

  /** Whether the block is loaded there as far as is known, whether or not the device is up. */
  isMarkedCarried(device: number, model: number, block: number): boolean {
    return this.#carried[model]![this.#at(device, model, block)] === 1
  }

  /** Whether the block runs on the device of its datum's source and nowhere else. */
  isPinned(model: number, block: number): boolean {
    return block === 0 && this.models[model]!.pinned === true
  }

  /** Whether the device carries the block and may run it for a datum whose source's device is `home`. */
  mayRun(device: number, model: number, block: number, home: number): boolean {
    return this.carries(device, model, block) && (device === home || !this.isPinned(model, block))
  }

  /** Whether a datum may be sent there: to be computed there, to end there, or to go on from there. */
  mayVisit(device: number, model: number, done: number, home: number): boolean {
    if (this.devices[device]!.relays) return true
    return done === this.models[model]!.work.length ? device === home : this.mayRun(device, model, done, home)
  }

  carriesAll(device: number, model: number): boolean {
    return this.devices[device]!.up && this.models[model]!.work.every((_, k) => this.isMarkedCarried(device, model, k))
  }

  /** Its worker becomes dearer, or cheaper, by what `change` does to the times of its blocks. */
  #changeTimes(device: number, change: () => void): void {
    const before = this.#carriedTime(device)
    change()
    this.version++
    this.#grewBy(this.devices[device]!.resource, this.#carriedTime(device) / before)
  }

  #timesChanged(device: number): void {
    this.pace++
    for (const [m, { work }] of this.models.entries())
      for (const k of work.keys()) this.#least[m]!.changed(k, this.blockTime(device, m, k))
  }

  /** Of the whole device, of all blocks that it carries. */
  #carriedTime(device: number): number {
    let sum = 0
    for (const [m, { work }] of this.models.entries()) {
      for (const k of work.keys()) if (this.isMarkedCarried(device, m, k)) sum += this.use(device, m, k)
    }
    return sum
  }

  /** The same, kept until something takes another time or is carried elsewhere. */
  #roundOf(device: number): number {
    const known = this.#rounds[device]
    if (known?.pace === this.pace && known.reach === this.reach) return known.time
    const time = this.#carriedTime(device)
    this.#rounds[device] = { pace: this.pace, reach: this.reach, time }
    return time
  }

  /** Within what is to be believed; of a device that carries nothing, 0 / 0, nothing is known. */
  #grewBy(resource: number, factor: number): void {
    if (!(factor > 0 && Number.isFinite(factor))) return
    this.#dearness[resource] = Math.min(DEAREST, Math.max(1 / DEAREST, this.dearness(resource) * factor))
  }

  #at(device: number, model: number, block: number): number {
    return device * this.models[model]!.work.length + block
  }

  /** For one more device. */
  #addRow(model: number): void {
    const row = this.#curves[model]!.push(new Map()) - 1
    const [from, to] = [this.#at(row, model, 0), this.#at(row + 1, model, 0)]
    const times = this.#times[model]!
    const carried = this.#carried[model]!
    if (times.length < to) {
      // Twice as much at a time: many devices come one by one.
      const length = Math.max(to, 2 * times.length)
      this.#times[model] = new Float64Array(length)
      this.#times[model].set(times)
      this.#carried[model] = new Uint8Array(length)
      this.#carried[model].set(carried)
    }
    this.#times[model]!.fill(Number.NaN, from, to)
  }
}
