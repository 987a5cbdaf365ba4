import { type BatchPoint, batchCurve } from '../../core/batch-curve.ts'
import { type DeviceId, deviceId, type ModelId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytesPerSecond, type Seconds, seconds } from '../../core/units.ts'
import { World } from '../../core/world.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import { isNewerState } from '../ports/is-newer-state.ts'
import { Distrust } from './distrust.ts'
import { lanesOf } from './lanes-of.ts'
import { ModelPins } from './model-pins.ts'
import { type ModelChoice, ModelRegister } from './model-register.ts'

/** Of a model's blocks on this device at speed 1; undefined: nothing is declared. */
export type OwnTimes = (manifest: ModelManifest) => readonly Seconds[] | undefined

/**
 * What this device has heard of its cluster, kept as a World for the policy. The newest state of each device wins;
 * a state of a device that is not connected is kept but the device stays down. What is believed of a device is of one life
 * of it: when another process has taken its place, nothing is until that one has said it itself.
 */
export class ClusterView {
  readonly world = new World()
  readonly self: DeviceId
  /** What devices say, and is not believed at present; call `review` when it has changed. */
  readonly distrust: Distrust
  readonly #guests = new Set<DeviceId>()
  /** That went as they had been told to. */
  readonly #farewells = new Set<DeviceId>()
  readonly #states = new Map<DeviceId, DeviceState>()
  /** Of the process that is connected, or was last. */
  readonly #lives = new Map<DeviceId, bigint>()
  /** Blocks that each device says it carries, by number in the world and model. */
  readonly #offered: Map<ModelId, ReadonlySet<number>>[] = []
  /** Resources of the world by the name of the medium. */
  readonly #media = new Map<string, number>()
  /** Which models there are, and what their names mean. */
  readonly models: ModelRegister = new ModelRegister({
    states: () => this.#states.values(),
    isUp: device => this.isUp(device) && this.isIntroduced(device),
    isGuest: device => this.isGuest(device)
  })
  readonly #ownTimes: OwnTimes
  readonly #pins: ModelPins
  /** Grows with every state and life that is heard of. */
  #news = 0
  /** Asked for many times a second: as of what was heard and who was up by then. */
  #members: { readonly news: number; readonly reach: number; readonly list: readonly DeviceState[] } | undefined

  /**
   * @param ownTimes of a model's blocks on this device at speed 1, where they are declared
   * @param pins what names of models have come to mean here
   */
  constructor(self: DeviceId, speed: number, ownTimes: OwnTimes = () => undefined, pins = new ModelPins()) {
    this.self = self
    this.distrust = new Distrust(self, by => this.#isMember(by))
    this.#ownTimes = ownTimes
    this.#pins = pins
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
    const choice = this.chooseModel(name)
    return choice.kind === 'model' ? choice.manifest : undefined
  }

  /** Likewise, and why there is none. */
  chooseModel(name: string): ModelChoice {
    return this.models.choose(name, this.self, this.#pins)
  }

  /** Likewise, for a source that goes by it from now on: the name keeps meaning that. */
  useModel(name: string): ModelChoice {
    const choice = this.chooseModel(name)
    if (choice.kind === 'model' && choice.pin !== undefined) this.#pins.use(choice.name, choice.pin)
    return choice
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
    for (const [device, state] of this.#states) {
      if (device !== this.self && this.#isOfThisLife(state)) this.#applyModels(device, state)
    }
    this.review()
  }

  /** Nobody owns or needs it any more: nothing is computed with it. @returns whether it was there */
  dismiss(id: ModelId, now: Seconds): boolean {
    const hasLeft = this.models.leave(id, now)
    if (hasLeft) this.#withdraw(id)
    return hasLeft
  }

  /** Its owner has signed that it has left. @returns whether it has, by now */
  renounced(id: ModelId, now: Seconds): boolean {
    if (!this.models.isUnclaimed(id)) return false
    this.dismiss(id, now)
    return this.models.isGone(id)
  }

  /** Called often. @param keep how long a model stays that nobody owns or uses @returns those that have left for that */
  forget(now: Seconds, keep: Seconds): readonly ModelId[] {
    const left = this.models.tick(now, keep)
    for (const id of left) this.#withdraw(id)
    return left
  }

  /** Of models that left long ago what was known is forgotten. @param isLeft nothing of it is here any more */
  forgetDeparted(now: Seconds, isLeft: (model: ModelId) => boolean): void {
    for (const { id } of this.models.unspoken(now)) {
      if (!isLeft(id)) continue
      this.models.forget(id)
      this.world.retireModel(id)
      for (const offered of this.#offered) offered?.delete(id)
    }
  }

  /** Models that devices that are there speak of and this one does not know yet, with who speaks of them. */
  unknownModels(): readonly { readonly model: ModelId; readonly device: DeviceId }[] {
    const unknown: { readonly model: ModelId; readonly device: DeviceId }[] = []
    for (const [device, state] of this.#states) {
      if (!this.isUp(device) || !this.#isOfThisLife(state)) continue
      const add = (text: string): void => {
        const model = modelId(text)
        const isKnown = text === '' || this.models.manifest(model) !== undefined || this.models.isGone(model)
        if (!isKnown && !unknown.some(one => one.model === model && one.device === device))
          unknown.push({ model, device })
      }
      for (const { model } of state.models) add(model)
      for (const source of state.sources) add(source.modelId)
    }
    return unknown
  }

  state(device: DeviceId): DeviceState | undefined {
    return this.#states.get(device)
  }

  /** Whether the process that is there now has said what it is and has. */
  isIntroduced(device: DeviceId): boolean {
    const state = this.#states.get(device)
    return state !== undefined && this.#isOfThisLife(state)
  }

  /** Devices that are connected and have introduced themselves, this one included, by id. */
  members(): readonly DeviceState[] {
    const { reach } = this.world
    if (this.#members?.news !== this.#news || this.#members.reach !== reach) {
      const list = [...this.#states.values()]
        .filter(state => this.isUp(deviceId(state.device)) && this.#isOfThisLife(state))
        .sort((a, b) => (a.device < b.device ? -1 : 1))
      this.#members = { news: this.#news, reach, list }
    }
    return this.#members.list
  }

  /** Members that are not on their way out. */
  staying(): readonly DeviceState[] {
    return this.members().filter(({ leaving }) => !leaving)
  }

  /** Those that plan and have a vote: guests have none, but for one that is alone with itself. */
  electorate(): readonly DeviceState[] {
    const devices = this.staying().filter(({ device }) => !this.isGuest(deviceId(device)))
    return devices.length > 0 ? devices : this.staying().filter(({ device }) => device === this.self)
  }

  /** Those that are planned for: without who came only to look. */
  planned(): readonly DeviceState[] {
    return this.staying().filter(
      ({ device, memory, sources, models }) =>
        !(this.isGuest(deviceId(device)) && memory === 0n && sources.length === 0 && models.length === 0)
    )
  }

  /** It has come for one job: nothing travels over it, and away it is nobody's loss. */
  addGuest(device: DeviceId): void {
    this.#guests.add(device)
    const said = this.#states.get(device)
    if (said !== undefined && device !== this.self) this.#states.set(device, stateOfGuest(said))
    this.#news++
    const index = this.world.deviceIndex(device)
    if (index !== undefined) this.world.setRelays(index, false)
  }

  /** It stops; that it is gone soon is no loss. */
  saidGoodbye(device: DeviceId): void {
    this.#farewells.add(device)
  }

  hasSaidGoodbye(device: DeviceId): boolean {
    return this.#farewells.has(device) || this.#states.get(device)?.leaving === true
  }

  /** Devices that are away and have not said goodbye. */
  lost(): readonly DeviceId[] {
    return this.world.known().flatMap(({ id, up }) => (up || this.isGuest(id) || this.hasSaidGoodbye(id) ? [] : [id]))
  }

  isGuest(device: DeviceId): boolean {
    return this.#guests.has(device)
  }

  /** It is or was there as a device of the cluster, not for one job or to ask. */
  #isMember(device: DeviceId): boolean {
    return this.world.deviceIndex(device) !== undefined && !this.isGuest(device)
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

  /** @returns whether it is another process than before: nothing of what the former one was or had is true of it */
  joined(device: DeviceId, life = 0n): boolean {
    const former = this.#lives.get(device)
    this.#lives.set(device, life)
    this.#news++
    const index = this.world.addDevice(device)
    this.#farewells.delete(device)
    this.world.setRelays(index, !this.#guests.has(device))
    const isNewLife = former !== undefined && former !== life
    if (isNewLife) this.#forget(device, index)
    const state = this.#states.get(device)
    if (state !== undefined && this.#isOfThisLife(state)) this.#believe(device, index, state)
    this.review()
    return isNewLife
  }

  left(device: DeviceId): void {
    const index = this.world.deviceIndex(device)
    if (index !== undefined) this.world.setUp(index, false)
    this.review()
  }

  /** It is gone for good: nothing of it is known any more. @returns the number that it had in the world */
  retire(device: DeviceId): number | undefined {
    const index = this.world.deviceIndex(device)
    if (index === undefined || device === this.self) return undefined
    this.#forget(device, index)
    this.distrust.forget(device)
    this.world.retire(device)
    this.#states.delete(device)
    this.#lives.delete(device)
    this.#guests.delete(device)
    this.#farewells.delete(device)
    this.review()
    return index
  }

  /** This device can compute a block from now on, or no longer. */
  offer(model: ModelId, block: number, offered: boolean): void {
    const blocks = new Set(this.#offeredBy(this.selfIndex, model))
    if (offered) blocks.add(block)
    else blocks.delete(block)
    this.#offered[this.selfIndex]!.set(model, blocks)
    this.review()
  }

  isOffered(model: ModelId, block: number): boolean {
    return this.#offeredBy(this.selfIndex, model).has(block)
  }

  /** Whether a device that is there says that it carries the block, believed or not. */
  isOfferedBy(device: DeviceId, model: ModelId, block: number): boolean {
    const n = this.world.deviceIndex(device)
    return n !== undefined && this.world.devices[n]!.up && this.#offeredBy(n, model).has(block)
  }

  /** Devices that are there and say that they carry the block, believed or not. */
  carriers(model: ModelId, block: number): readonly DeviceId[] {
    return this.world.devices.flatMap(({ id }) => (this.isOfferedBy(id, model, block) ? [id] : []))
  }

  /**
   * Bring what the world has carried to what devices say and what of it is believed. One that is set aside is used all the
   * same for a block that nobody else has, and so is one that has all that it is trusted with.
   */
  review(): void {
    for (const n of this.world.devices.keys()) {
      for (const [m, { id, work }] of this.world.models.entries()) {
        const offered = this.#offeredBy(n, id)
        for (let k = 0; k < work.length; k++) this.#setCarried(n, m, k, offered.has(k) && this.#isBelieved(n, id, k))
      }
    }
  }

  #setCarried(n: number, m: number, k: number, carried: boolean): void {
    if (this.world.isMarkedCarried(n, m, k) !== carried) this.world.setCarried(n, m, k, carried)
  }

  #isBelieved(n: number, model: ModelId, block: number): boolean {
    const { id } = this.world.devices[n]!
    if (this.distrust.isRefusing(id, model, block)) return false
    if (!this.#isAvoided(id, model)) return true
    return !this.world.devices.some(
      (other, i) =>
        i !== n &&
        other.up &&
        this.#offeredBy(i, model).has(block) &&
        !this.#isAvoided(other.id, model) &&
        !this.distrust.isRefusing(other.id, model, block)
    )
  }

  #isAvoided(device: DeviceId, model: ModelId): boolean {
    return this.distrust.isSetAside(device, model) || this.distrust.isFull(device)
  }

  #offeredBy(n: number, model: ModelId): ReadonlySet<number> {
    const offered = this.#offered[n] ?? new Map<ModelId, ReadonlySet<number>>()
    this.#offered[n] = offered
    return offered.get(model) ?? NONE
  }

  /** A state may come before the process that sent it has connected, and one of the former life after. */
  #isOfThisLife({ device, life }: DeviceState): boolean {
    const known = this.#lives.get(deviceId(device))
    // 0: of a version that does not say it.
    return device === this.self || known === undefined || known === life || life === 0n
  }

  #forget(device: DeviceId, index: number): void {
    this.#offered[index] = new Map()
    this.distrust.restarted(device)
    this.world.forget(index)
  }

  #believe(device: DeviceId, index: number, state: DeviceState): void {
    if (Number.isFinite(state.speed) && state.speed > 0) this.world.setSpeed(index, state.speed)
    this.world.setLanes(index, lanesOf(state))
    this.#applyModels(device, state)
    for (const link of state.links) this.setLink(device, deviceId(link.to), link.rate, link.latency, link.medium)
  }

  /** @param now where models may have left: when that was @returns whether it was news */
  heard(from: DeviceId, said: DeviceState, now: Seconds = seconds(0)): boolean {
    const state = this.isGuest(from) && from !== this.self ? stateOfGuest(said) : said
    const known = this.#states.get(from)
    if (state.device !== from || (known !== undefined && !isNewerState(state, known, this.#lives.get(from))))
      return false
    this.#states.set(from, state)
    this.#news++
    const { left, back } = this.models.heard(state, now)
    for (const id of left) this.#withdraw(id)
    if (back.length > 0) {
      for (const [device, said] of this.#states)
        if (device !== this.self && this.#isOfThisLife(said)) this.#applyModels(device, said)
      this.review()
    }
    const index = this.world.deviceIndex(from)
    if (index === undefined || from === this.self) return true
    if (this.#isOfThisLife(state)) this.#believe(from, index, state)
    else this.#forget(from, index) // its next life is on its way: what this one had is gone
    this.review()
    return true
  }

  /** A measured link, of this device or as another one reports its own. */
  setLink(from: DeviceId, to: DeviceId, rate: number, latency: number, medium = ''): void {
    const a = this.world.deviceIndex(from)
    const b = this.world.deviceIndex(to)
    if (a === undefined || b === undefined || a === b) return
    if (!(rate > 0 && Number.isFinite(rate) && latency >= 0 && Number.isFinite(latency))) return
    const known = this.world.link(a, b)
    if (known?.rate === rate && known.latency === latency && known.up) return
    const isNew = known === undefined
    const isShared = medium !== '' && (this.#media.has(medium) || this.#media.size < MOST_MEDIA)
    const shared = isNew && isShared ? this.#mediumNamed(medium) : undefined
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
    for (const n of this.world.devices.keys()) this.#offered[n]?.delete(id)
    this.review()
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
      this.#offeredBy(n, model.id)
      this.#offered[n]!.set(model.id, new Set(times.keys()))
      for (let k = 0; k < model.work.length; k++) {
        const time = times.get(k)
        if (time !== undefined && Number.isFinite(time) && time > 0) this.world.setBlockTime(n, m, k, seconds(time))
        if (device !== this.self) this.#applyCurve(n, m, k, carried.find(({ block }) => block === k)?.batch ?? [])
      }
    }
  }

  /** What is told again and again stays the same curve. */
  #applyCurve(n: number, m: number, k: number, told: readonly BatchPoint[]): void {
    const known = this.world.batchCurve(n, m, k)?.points.slice(1) ?? []
    const isKnown =
      known.length === told.length && known.every((p, i) => p.size === told[i]!.size && p.times === told[i]!.times)
    if (!isKnown) this.world.setBatchCurve(n, m, k, batchCurve(told))
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

/** Radios that devices share; a link over one more counts as one of its own. */
const MOST_MEDIA = 256

const NONE: ReadonlySet<number> = new Set()

/** What counts of it: that it is there, what it asks, and the models that it has brought for others to compute. */
const stateOfGuest = (state: DeviceState): DeviceState => ({
  ...state,
  ...{
    canPlan: false,
    elects: '',
    follows: '',
    followsTerm: 0,
    setAside: [],
    goneModels: [],
    farewells: [],
    memory: 0n
  },
  models: state.models.filter(({ owner }) => owner).map(model => ({ ...model, blocks: [], times: [] }))
})
