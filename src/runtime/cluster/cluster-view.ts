import { type DeviceId, deviceId, type ModelId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytesPerSecond, type Seconds, seconds } from '../../core/units.ts'
import { World } from '../../core/world.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import { ModelRegister } from './model-register.ts'

/** Of a model's blocks on this device at speed 1; undefined: nothing is declared. */
export type OwnTimes = (manifest: ModelManifest) => readonly Seconds[] | undefined

/**
 * What this device has heard of its cluster, kept as a World for the policy. The newest state of each device wins;
 * a state of a device that is not connected is kept but the device stays down.
 */
export class ClusterView {
  readonly world = new World()
  readonly self: DeviceId
  readonly #states = new Map<DeviceId, DeviceState>()
  /** Resources of the world by the name of the medium. */
  readonly #media = new Map<string, number>()
  /** Which models there are, and what their names mean. */
  readonly models: ModelRegister = new ModelRegister({
    states: () => this.#states.values(),
    isUp: device => this.isUp(device)
  })
  readonly #ownTimes: OwnTimes

  /** @param ownTimes of a model's blocks on this device at speed 1, where they are declared */
  constructor(self: DeviceId, speed: number, ownTimes: OwnTimes = () => undefined) {
    this.self = self
    this.#ownTimes = ownTimes
    this.world.addDevice(self, speed)
  }

  /** This device is always number 0 of its own world. */
  get selfIndex(): number {
    return 0
  }

  /** Of a model that has left the cluster, too. */
  manifest(id: ModelId): ModelManifest | undefined {
    return this.models.manifest(id)
  }

  /** What a source here means by a name; empty: the only model, or the first. */
  manifestNamed(name: string): ModelManifest | undefined {
    return this.models.resolve(name, this.self)
  }

  /** Of the models that are in the cluster, by id. */
  manifests(): readonly ModelManifest[] {
    return this.models.manifests()
  }

  /** Its name; where another model has that too and counts before it, with the beginning of its id. */
  labelOf(id: ModelId): string {
    const name = this.models.nameOf(id)
    const meant = this.manifestNamed(name)
    return meant === undefined || meant.id === id ? name : `${name} ${id.slice(0, 8)}`
  }

  addManifest(manifest: ModelManifest): void {
    if (this.models.manifest(manifest.id) !== undefined) return
    this.models.add(manifest)
    const m = this.world.addModel({
      id: manifest.id,
      pinned: manifest.pinned === true,
      work: manifest.blocks.map(block => block.work),
      activations: manifest.activations.map(activation => activation.bytes)
    })
    this.#applyTimes(this.selfIndex, m, this.#ownTimes(manifest) ?? [])
    for (const [device, state] of this.#states) if (device !== this.self) this.#applyModels(device, state)
  }

  /** Nobody owns or needs it any more: nothing is computed with it. @returns whether it was there */
  dismiss(id: ModelId, now: Seconds): boolean {
    const hasLeft = this.models.leave(id, now)
    if (hasLeft) this.#withdraw(id)
    return hasLeft
  }

  /** Called often. @param keep how long a model stays that nobody owns or uses @returns those that have left for that */
  forget(now: Seconds, keep: Seconds): readonly ModelId[] {
    const left = this.models.tick(now, keep)
    for (const id of left) this.#withdraw(id)
    return left
  }

  /** Models that devices that are there speak of and this one does not know yet, with who speaks of them. */
  unknownModels(): readonly { readonly model: ModelId; readonly device: DeviceId }[] {
    return [...this.#states].flatMap(([device, { models, sources }]) => {
      if (!this.isUp(device)) return []
      const spoken = new Set([...models.map(({ model }) => model), ...sources.map(source => source.modelId)])
      return [...spoken].flatMap(text => {
        const model = modelId(text)
        const isKnown = text === '' || this.models.manifest(model) !== undefined || this.models.isGone(model)
        return isKnown ? [] : [{ model, device }]
      })
    })
  }

  state(device: DeviceId): DeviceState | undefined {
    return this.#states.get(device)
  }

  /** Devices that are connected and have introduced themselves, this one included, by id. */
  members(): readonly DeviceState[] {
    return [...this.#states.values()]
      .filter(state => this.isUp(deviceId(state.device)))
      .sort((a, b) => (a.device < b.device ? -1 : 1))
  }

  isUp(device: DeviceId): boolean {
    const index = this.world.deviceIndex(device)
    return index !== undefined && this.world.devices[index]!.up
  }

  /** What people call it: its name; of several that are there with one name, "shed#Kx3vP9qZ" with the end of its id. */
  nameOf(device: DeviceId): string {
    const name = this.#states.get(device)?.name
    if (name === undefined || name === '') return device.slice(-8)
    return this.namesakes(device).length === 0 ? name : `${name}#${device.slice(-8)}`
  }

  /** Other devices that are there and have its name. */
  namesakes(device: DeviceId): readonly DeviceId[] {
    const name = this.#states.get(device)?.name
    return [...this.#states.keys()].filter(
      other => other !== device && this.#states.get(other)!.name === name && this.isUp(other)
    )
  }

  joined(device: DeviceId): void {
    this.world.addDevice(device)
    const state = this.#states.get(device)
    if (state !== undefined) this.#applyModels(device, state)
  }

  left(device: DeviceId): void {
    const index = this.world.deviceIndex(device)
    if (index !== undefined) this.world.setUp(index, false)
  }

  /** @param now where models may have left: when that was @returns whether it was news */
  heard(from: DeviceId, state: DeviceState, now: Seconds = seconds(0)): boolean {
    const known = this.#states.get(from)
    if (state.device !== from || (known !== undefined && !isNewer(state, known))) return false
    this.#states.set(from, state)
    const { left, back } = this.models.heard(state, now)
    for (const id of left) this.#withdraw(id)
    if (back.length > 0)
      for (const [device, known] of this.#states) if (device !== this.self) this.#applyModels(device, known)
    const index = this.world.deviceIndex(from)
    if (index === undefined || from === this.self) return true
    if (Number.isFinite(state.speed) && state.speed > 0) this.world.setSpeed(index, state.speed)
    this.#applyModels(from, state)
    for (const link of state.links) this.setLink(from, deviceId(link.to), link.rate, link.latency, link.medium)
    return true
  }

  /** A measured link, of this device or as another one reports its own. */
  setLink(from: DeviceId, to: DeviceId, rate: number, latency: number, medium = ''): void {
    const a = this.world.deviceIndex(from)
    const b = this.world.deviceIndex(to)
    if (a === undefined || b === undefined || a === b) return
    if (!(rate > 0 && Number.isFinite(rate) && latency >= 0 && Number.isFinite(latency))) return
    const isNew = this.world.link(a, b) === undefined
    const shared = isNew && medium !== '' ? this.#mediumNamed(medium) : undefined
    this.world.setLink(a, b, bytesPerSecond(rate), seconds(latency), shared)
  }

  /** Whether nothing is known of this device's link to a peer. */
  isNewLink(peer: DeviceId): boolean {
    const to = this.world.deviceIndex(peer)
    return to === undefined || this.world.link(this.selfIndex, to) === undefined
  }

  /** Name of the medium that is this resource; empty for a link of its own. */
  mediumOf(resource: number): string {
    return [...this.#media].find(([, known]) => known === resource)?.[0] ?? ''
  }

  /** Nobody is to be counted on for it, not this device either. */
  #withdraw(id: ModelId): void {
    const m = this.world.modelIndex(id)
    if (m === undefined) return
    for (const n of this.world.devices.keys())
      for (const k of this.world.models[m]!.work.keys()) this.world.setCarried(n, m, k, false)
  }

  #mediumNamed(name: string): number {
    const medium = this.#media.get(name) ?? this.world.addMedium()
    this.#media.set(name, medium)
    return medium
  }

  #applyModels(device: DeviceId, state: DeviceState): void {
    const n = this.world.deviceIndex(device)
    if (n === undefined) return
    for (const [m, model] of this.world.models.entries()) {
      const isGone = this.models.isGone(model.id)
      const said = isGone ? undefined : state.models.find(({ model: id }) => id === model.id)
      const carried = said?.blocks ?? []
      this.#applyTimes(n, m, said?.times ?? [], new Set(carried.map(({ block }) => block)))
      const times = new Map(carried.map(({ block, seconds: time }) => [block, time]))
      for (let k = 0; k < model.work.length; k++) {
        const time = times.get(k)
        if (time !== undefined && Number.isFinite(time) && time > 0) this.world.setBlockTime(n, m, k, seconds(time))
        this.world.setCarried(n, m, k, time !== undefined)
      }
    }
  }

  /** What is declared of the blocks that are not carried: of the others it is known what they take. */
  #applyTimes(n: number, m: number, times: readonly number[], carried: ReadonlySet<number> = new Set()): void {
    const { work } = this.world.models[m]!
    if (times.length !== work.length) return
    for (const [k, time] of times.entries()) {
      if (carried.has(k) || !Number.isFinite(time) || !(time > 0)) continue
      this.world.setBlockTime(n, m, k, seconds(time / this.world.devices[n]!.speed))
    }
  }
}

const isNewer = (a: DeviceState, b: DeviceState): boolean =>
  a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.sequence > b.sequence)
