import { type DeviceId, deviceId, type ModelId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { parseModelReference } from '../../core/model-reference.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import type { ModelPin, ModelPins } from './model-pins.ts'

/** An owner says: this is what I call by that name. */
export interface ModelClaim {
  readonly device: DeviceId
  readonly model: ModelId
  readonly name: string
  /** Grows whenever an owner puts another model in the name's place. */
  readonly revision: bigint
}

/** What a name means to this device. */
export type ModelChoice =
  /** `pin`: what is to be kept of it once it is used; absent where its own file or a fingerprint says what is meant. */
  | { readonly kind: 'model'; readonly manifest: ModelManifest; readonly name: string; readonly pin?: ModelPin }
  /** No device has it, as far as is known here. */
  | { readonly kind: 'absent' }
  /** What is offered by that name is another than the one that was used. */
  | { readonly kind: 'refused'; readonly name: string; readonly pin: ModelPin; readonly offers: readonly ModelOffer[] }
  /** Several models begin so. */
  | { readonly kind: 'ambiguous'; readonly models: readonly ModelId[] }

export type ModelOffer = Pick<ModelClaim, 'device' | 'model'>

export interface ModelRegisterParts {
  /** What the devices last said of themselves, this one included, whether they are there or not. */
  readonly states: () => Iterable<DeviceState>
  readonly isUp: (device: DeviceId) => boolean
  /** It came for one job: once it has gone nothing is called what it called it. @default nobody did */
  readonly isGuest?: (device: DeviceId) => boolean
}

/** A model without an owner whose name an owner gives to another is kept for so long: the owner may only be away. */
const SUPERSEDED: Seconds = seconds(10)
/** How long, and of how many models, a device goes on telling that they have left. */
const TOLD: Seconds = seconds(600)
const MOST_TOLD = 64
/** Models of which nothing but that they have left is remembered. */
const MOST_GONE = 4096

/**
 * Which models the cluster has, and which of them a name means.
 *
 * A name means the model that the asking device itself owns by that name; else, of those in the cluster that owners call
 * so, that of the largest revision (of equals, of an owner who is there, of the smallest owner). It does not matter who
 * came when.
 *
 * A model stays while an owner is there, and while a source that is not done uses it; after that for a time. Where another
 * owner who is there calls another model so, it stays only as long as an owner may be away for a moment. It leaves at once
 * when its owners say that it has, by command or because they have put another in its place; then every device forgets it,
 * and none takes it again from somebody who has not heard yet. Nobody else can say so for them: whoever has sealed it has to
 * say it itself, and whoever called it its own last does so still, away or not. An owner brings it back.
 */
export class ModelRegister {
  readonly #parts: ModelRegisterParts
  readonly #manifests = new Map<ModelId, ModelManifest>()
  /** When they left. */
  readonly #gone = new Map<ModelId, Seconds>()
  /** That have left since they were last asked for. */
  #left: ModelId[] = []
  #heardAt: Seconds = seconds(0)
  /** Since when they have had neither owner nor source. */
  readonly #unneededSince = new Map<ModelId, Seconds>()

  constructor(parts: ModelRegisterParts) {
    this.#parts = parts
  }

  add(manifest: ModelManifest): void {
    this.#manifests.set(manifest.id, manifest)
    if (this.#isRenounced(manifest.id)) this.#gone.set(manifest.id, this.#heardAt)
  }

  /** Of a model that has left, too: what is under way may still need it. */
  manifest(id: ModelId): ModelManifest | undefined {
    return this.#manifests.get(id)
  }

  /** The cluster's, by id. */
  manifests(): readonly ModelManifest[] {
    return [...this.#manifests.values()].filter(({ id }) => !this.#gone.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  isGone(id: ModelId): boolean {
    return this.#gone.has(id)
  }

  /** Models that have left and are still known. */
  departed(): readonly ModelManifest[] {
    return [...this.#gone.keys()].flatMap(id => this.#manifests.get(id) ?? [])
  }

  /** That have left, and of which nobody has spoken for as long as it is told. */
  unspoken(now: Seconds): readonly ModelManifest[] {
    return this.departed().filter(({ id }) => now - this.#gone.get(id)! >= TOLD && !this.#isUsed(id))
  }

  /** Of one that has left, nothing more is needed than that it has. */
  forget(id: ModelId): void {
    if (!this.#gone.has(id)) return
    this.#manifests.delete(id)
    const bare = [...this.#gone.keys()].filter(one => !this.#manifests.has(one))
    for (const oldest of bare.slice(0, Math.max(0, bare.length - MOST_GONE))) this.#gone.delete(oldest)
  }

  /** For the others to hear: the latest that left. */
  gone(now: Seconds): readonly ModelId[] {
    return [...this.#gone].flatMap(([id, at]) => (now - at < TOLD ? [id] : [])).slice(-MOST_TOLD)
  }

  /** Each once: models that were known here and have left since this was last called. */
  takeLeft(): readonly ModelManifest[] {
    const left = this.#left.flatMap(id => this.#manifests.get(id) ?? [])
    this.#left = []
    return left
  }

  owners(id: ModelId): readonly DeviceId[] {
    const owners = this.#claims(true).flatMap(({ device, model }) => (model === id ? [device] : []))
    return [...new Set(owners)]
  }

  /** As far as others know. @param text empty: the device's own, else the first by name; with a fingerprint: that one */
  resolve(text: string, at: DeviceId): ModelManifest | undefined {
    const { name, fingerprint } = parseModelReference(text)
    if (fingerprint !== undefined) {
      const fitting = this.#beginning(fingerprint, name)
      return fitting.length === 1 ? fitting[0] : undefined
    }
    const offer = this.#offered(name, at)
    return offer === undefined ? undefined : this.#manifests.get(offer.model)
  }

  /**
   * To a device that keeps to what it has used: its own file; else the pinned model, or what its owner has put in its place.
   * @param text as of `resolve`
   */
  choose(text: string, at: DeviceId, pins: ModelPins): ModelChoice {
    const reference = parseModelReference(text)
    if (reference.fingerprint !== undefined) return this.#chooseExact(reference.fingerprint, reference.name)
    const offer = this.#offered(reference.name, at)
    const name = reference.name === '' ? (offer?.name ?? '') : reference.name
    if (offer?.device === at) return { kind: 'model', name, manifest: this.#manifests.get(offer.model)! }
    const accepted = pins.accepted(name)
    if (accepted !== undefined) return this.#chooseExact(accepted, name, true)
    const pin = pins.get(name)
    if (pin !== undefined) return this.#keepTo(name, pin)
    if (offer === undefined) return { kind: 'absent' }
    const { device: owner, model, revision } = this.#sealersOwn(offer)
    return { kind: 'model', name, manifest: this.#manifests.get(model)!, pin: { model, owner, revision } }
  }

  /** @param isKept the name means it from now on */
  #chooseExact(fingerprint: string, name: string, isKept = false): ModelChoice {
    const [manifest, ...others] = this.#beginning(fingerprint, name)
    if (manifest === undefined) return { kind: 'absent' }
    if (others.length > 0) return { kind: 'ambiguous', models: [manifest, ...others].map(({ id }) => id) }
    if (!isKept) return { kind: 'model', name, manifest }
    const { id: model, seal } = manifest
    const claim = this.#meant(name).find(one => one.model === model)
    const [owner, revision] = [claim?.device ?? seal?.owner ?? deviceId(''), claim?.revision ?? 0n]
    return { kind: 'model', name, manifest, pin: { model, owner, revision } }
  }

  /** The fingerprint says which: the name is asked where several begin so. */
  #beginning(fingerprint: string, name: string): readonly ModelManifest[] {
    const fitting = this.manifests().filter(({ id }) => id.startsWith(fingerprint))
    const named = fitting.filter(({ id }) => this.namesOf(id).includes(name))
    return fitting.length > 1 && named.length > 0 ? named : fitting
  }

  #keepTo(name: string, pin: ModelPin): ModelChoice {
    const claims = this.#meant(name)
    const byOwner = claims.filter(({ device }) => device === pin.owner)
    const newest = byOwner.find(({ model, revision }) => model === pin.model || revision > pin.revision)
    if (newest !== undefined) {
      const { model, revision } = newest
      const kept = revision > pin.revision ? { ...pin, model, revision } : pin
      return { kind: 'model', name, manifest: this.#manifests.get(model)!, pin: kept }
    }
    const manifest = this.#gone.has(pin.model) ? undefined : this.#manifests.get(pin.model)
    if (manifest !== undefined) return { kind: 'model', name, manifest, pin }
    const offers = [...claims, ...this.#orphans(name)]
    return offers.length === 0 ? { kind: 'absent' } : { kind: 'refused', name, pin, offers }
  }

  #offered(name: string, at: DeviceId): Offered | undefined {
    const claims = this.#meant(name)
    const own = claims.find(({ device }) => device === at)
    return own ?? (name === '' ? claims.find(({ isUp }) => isUp) : undefined) ?? claims[0] ?? this.#orphans(name)[0]
  }

  /** What owners call so, of models that are in the cluster. @param name empty: any */
  #meant(name: string): readonly Standing[] {
    return this.#claims().filter(
      claim => (name === '' || claim.name === name) && !this.#gone.has(claim.model) && this.#manifests.has(claim.model)
    )
  }

  /** Who has signed a model and calls it so is who is trusted with its name: anybody else may say that it owns it, too. */
  #sealersOwn(offer: Offered): Offered {
    const { model, name } = offer
    const alike = this.#claims().filter(claim => claim.model === model && claim.name === name)
    return alike.find(({ device }) => this.#isSealedBy(model, device)) ?? offer
  }

  #isSealedBy(id: ModelId, device: DeviceId): boolean {
    return this.#manifests.get(id)?.seal?.owner === device
  }

  /** Models that nobody says are theirs, as those who sealed them called them. @param name empty: any, owned ones too */
  #orphans(name: string): readonly Offered[] {
    const claimed = new Set(this.#claims().map(({ model }) => model))
    return this.manifests()
      .filter(({ id, name: own }) => name === '' || (own === name && !claimed.has(id)))
      .map(({ id, name: own, seal }) => ({ device: seal?.owner ?? deviceId(''), model: id, name: own, revision: 0n }))
  }

  /** The name that it came with while an owner calls it so, else what the owner that counts calls it. */
  nameOf(id: ModelId): string {
    return this.namesOf(id)[0]!
  }

  /** All that owners call it, that of `nameOf` first; where nobody owns it the one that it came with. */
  namesOf(id: ModelId): readonly [string, ...string[]] {
    const own = this.#manifests.get(id)?.name
    const claimed = new Set(this.#claims().flatMap(({ model, name }) => (model === id ? [name] : [])))
    const [first, ...others] = own !== undefined && claimed.delete(own) ? [own, ...claimed] : claimed
    return [first ?? own ?? id.slice(0, 8), ...others]
  }

  /** That mean something in the cluster. */
  names(): readonly string[] {
    return [...new Set(this.manifests().flatMap(({ id }) => this.namesOf(id)))].sort()
  }

  /** Different models of one name whose owners are there, the one that counts first. */
  clashes(): readonly (readonly ModelClaim[])[] {
    const named = new Map<string, ModelClaim[]>()
    for (const claim of this.#claims(true)) {
      const others = named.get(claim.name) ?? []
      if (others.every(({ model }) => model !== claim.model)) named.set(claim.name, [...others, claim])
    }
    return [...named.values()].filter(claims => claims.length > 1)
  }

  /** Of owners that are there and call a model so; the one that counts first. */
  claimsOf(name: string): readonly ModelClaim[] {
    return this.#claims(true).filter(claim => claim.name === name)
  }

  /** It has left, unless somebody who is there owns it. @returns whether that is news */
  leave(id: ModelId, now: Seconds): boolean {
    if (this.#gone.has(id) || this.owners(id).length > 0) return false
    this.#gone.set(id, now)
    this.#left.push(id)
    this.#unneededSince.delete(id)
    return true
  }

  /** Whether nobody says that it owns it but its sealer, before it went: then the signed word of that one is enough. */
  isUnclaimed(id: ModelId): boolean {
    for (const { device: text, models } of this.#parts.states()) {
      const device = deviceId(text)
      const isFormer = this.#isSealedBy(id, device) && !this.#parts.isUp(device)
      if (!isFormer && this.#isOwnedIn(models, device, id)) return false
    }
    return true
  }

  /** By those alone whose it is, in the states that they have sent themselves. */
  #isRenounced(id: ModelId): boolean {
    const owner = this.#manifests.get(id)?.seal?.owner
    let isSaid = false
    for (const { device, goneModels, models } of this.#parts.states()) {
      if (this.#isOwnedIn(models, deviceId(device), id)) return false
      if (device === owner) isSaid = goneModels.slice(-MOST_TOLD).includes(id)
    }
    return isSaid
  }

  /** That a guest says so of what others have signed is not believed. */
  #isOwnedIn(models: DeviceState['models'], device: DeviceId, id: ModelId): boolean {
    const isBelieved = this.#parts.isGuest?.(device) !== true || this.#isSealedBy(id, device)
    return isBelieved && models.some(({ model, owner }) => owner && model === id)
  }

  /** What a device says has left, and what it brings back. @returns the models that are gone, or are back, since */
  heard(state: DeviceState, now: Seconds): { readonly left: readonly ModelId[]; readonly back: readonly ModelId[] } {
    this.#heardAt = now
    const said = state.goneModels.slice(-MOST_TOLD).map(modelId)
    const device = deviceId(state.device)
    const owned = state.models.flatMap(({ model }) =>
      this.#isOwnedIn(state.models, device, modelId(model)) ? [modelId(model)] : []
    )
    // Whoever still speaks of one that has left has not heard of it, or has been away: it is told again.
    const spoken = [...state.models.map(({ model }) => model), ...state.sources.map(source => source.modelId)]
    for (const id of spoken.map(modelId)) if (this.#gone.has(id)) this.#gone.set(id, now)
    return {
      left: said.filter(id => !this.#gone.has(id) && this.#isRenounced(id) && this.leave(id, now)),
      back: owned.filter(id => this.#parts.isUp(device) && this.#gone.delete(id))
    }
  }

  /** Called often. @param keep how long a model stays that nobody needs @returns those whose time is up */
  tick(now: Seconds, keep: Seconds): readonly ModelId[] {
    const due: ModelId[] = []
    for (const manifest of this.manifests()) {
      const { id } = manifest
      const isOwned = this.owners(id).length > 0
      const isSuperseded = !isOwned && this.claimsOf(this.nameOf(id)).length > 0
      if (isOwned || this.#isUsed(id)) {
        this.#unneededSince.delete(id)
        continue
      }
      const since = this.#unneededSince.get(id) ?? now
      this.#unneededSince.set(id, since)
      if (now - since >= (isSuperseded ? Math.min(keep, SUPERSEDED) : keep)) due.push(id)
    }
    return due.filter(id => this.leave(id, now))
  }

  #isUsed(id: ModelId): boolean {
    return [...this.#parts.states()].some(
      ({ device, sources }) => this.#parts.isUp(deviceId(device)) && sources.some(s => s.modelId === id && !s.done)
    )
  }

  /** The one that counts first. @param isThere only of owners that are there */
  #claims(isThere = false): readonly Standing[] {
    const claims: Standing[] = []
    for (const { device: text, models } of this.#parts.states()) {
      // Of many devices few own models: the others cost nothing.
      if (!models.some(({ owner }) => owner)) continue
      const device = deviceId(text)
      const [isUp, isGuest] = [this.#parts.isUp(device), this.#parts.isGuest?.(device) === true]
      if (!isUp && (isThere || isGuest)) continue
      for (const { model: id, owner, name, revision } of models) {
        const model = modelId(id)
        if (owner && (!isGuest || this.#isSealedBy(model, device)))
          claims.push({ device, model, revision, name: name || (this.#manifests.get(model)?.name ?? ''), isUp })
      }
    }
    return claims.length < 2 ? claims : claims.sort(byWhatCounts)
  }
}

type Offered = ModelClaim
type Standing = ModelClaim & { readonly isUp: boolean }

const byWhatCounts = (a: Standing, b: Standing): number => {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  if (a.revision !== b.revision) return a.revision > b.revision ? -1 : 1
  if (a.isUp !== b.isUp) return a.isUp ? -1 : 1
  if (a.device !== b.device) return a.device < b.device ? -1 : 1
  return a.model < b.model ? -1 : 1
}
