import { create } from '@bufbuild/protobuf'
import { type DeviceId, deviceId, type ModelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { fingerprintOf, parseModelReference } from '../../core/model-reference.ts'
import { Serial } from '../../core/serial.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import { type ModelsRequest, type Reply, ReplySchema, RequestSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { Network } from '../ports/network.ts'
import type { ModelReport, ModelsAnswer } from './model-report.ts'
import type { OwnedModel } from './owned-model.ts'
import type { OwnedModels } from './owned-models.ts'
import { sourceNamesIn } from './source-names-in.ts'

export interface ModelDeskParts {
  readonly name: string
  readonly view: ClusterView
  readonly network: Network
  readonly owned: OwnedModels
  /** An order that a command on this machine left. @throws Error when there is none of that name */
  readonly takeOrder: (token: string) => Promise<OwnedModel>
  /** What this device owns has changed: tell the others. */
  readonly changed: () => void
  /** Puts another file in the place of a model of this device. @returns whether that is another model */
  readonly update: (model: OwnedModel) => Promise<boolean>
  /** Nobody here owns it any more. */
  readonly dismiss: (model: ModelId) => void
  readonly say: (text: string, level?: 'warn') => void
}

/** Answers `tributary model`: which models there are, takes one out of the cluster, puts another in a name's place. */
export class ModelDesk {
  readonly #parts: ModelDeskParts
  readonly #serial = new Serial()

  constructor(parts: ModelDeskParts) {
    this.#parts = parts
  }

  /** Never rejects: what is wrong is in the reply. */
  async answer({ body }: ModelsRequest): Promise<Reply> {
    try {
      const answer = await this.#answerOf(body)
      return create(ReplySchema, { body: { case: 'models', value: JSON.stringify(answer) } })
    } catch (error) {
      return create(ReplySchema, { error: error instanceof Error ? error.message : String(error) })
    }
  }

  #answerOf(body: ModelsRequest['body']): Promise<Partial<ModelsAnswer>> {
    switch (body.case) {
      case 'list':
        return Promise.resolve(this.#list())
      case 'remove':
        return this.#serial.run(() => this.#remove(body.value.name, body.value.onlyYours))
      case 'update':
        return this.#serial.run(() => this.#update(body.value))
      default:
        return Promise.reject(new Error('this is not known here; is the other device of a newer version?'))
    }
  }

  #list(): Partial<ModelsAnswer> {
    const { name, view } = this.#parts
    const named = view
      .manifests()
      .flatMap(manifest => view.models.namesOf(manifest.id).map(known => [manifest, known] as const))
    return { answeredBy: name, models: named.map(([manifest, known]) => this.#report(manifest, known)) }
  }

  async #update(token: string): Promise<Partial<ModelsAnswer>> {
    const { owned, takeOrder, update, say } = this.#parts
    const { name: what, file } = await takeOrder(token)
    const { name, fingerprint = '' } = parseModelReference(what)
    const now = owned.names().find(known => known.name === name)
    if (now !== undefined && !now.model.startsWith(fingerprint))
      throw new Error(`model "${name}" is ${name}@${fingerprintOf(now.model)}, not ${what}: nothing has changed`)
    say(`model ${name} is to become ${file}`)
    const removed = owned.names().flatMap(known => (known.name === name ? [this.#brief(known.model)] : []))
    if (!(await update({ name, file }))) return { ...this.#list(), changed: false }
    return { ...this.#list(), removed, changed: true }
  }

  async #remove(name: string, onlyMine: boolean): Promise<Partial<ModelsAnswer>> {
    const { view, owned, changed, dismiss } = this.#parts
    const meant = this.#meant(name)
    if (meant.length === 0 && !onlyMine) throw new Error(`model "${name}" is not in the cluster${this.#there()}`)
    const isName = [...owned.names().map(known => known.name), ...view.models.names()].includes(name)
    /** Others by which it stays. */
    const stays = ({ id }: ModelManifest): boolean =>
      isName && view.models.namesOf(id).some(other => other !== name && view.models.claimsOf(other).length > 0)
    const leaving = meant.filter(manifest => !stays(manifest))
    const removed = meant.map(({ id }) => ({ ...this.#brief(id), ...(isName ? { name } : {}) }))
    const waiting = leaving.flatMap(({ id }) => this.#sources(id))
    const owners = new Set(meant.flatMap(({ id }) => view.models.owners(id)).filter(id => id !== view.self))
    const told = onlyMine ? [] : await Promise.all([...owners].map(owner => this.#tell(owner, name)))
    const mine = owned
      .names()
      .filter(({ name: own, model }) => own === name || (!isName && meant.some(({ id }) => id === model)))
    for (const { name: own } of mine) await owned.remove(own)
    if (mine.length > 0) changed()
    for (const { id } of leaving) dismiss(id)
    return { ...this.#list(), removed, waiting, failed: told.flat(), changed: removed.length > 0 }
  }

  /** Of that name and fingerprint, or of that name, or whose id or file's digest begins so. */
  #meant(name: string): readonly ModelManifest[] {
    const { models } = this.#parts.view
    const { fingerprint } = parseModelReference(name)
    if (fingerprint !== undefined) return models.manifests().filter(({ id }) => id.startsWith(fingerprint))
    const claimed = new Set(models.claimsOf(name).map(({ model }) => model))
    const isBeginning = /^[0-9a-f]{8,64}$/.test(name)
    return models
      .manifests()
      .filter(
        ({ id, sha256 }) =>
          claimed.has(id) ||
          models.namesOf(id).includes(name) ||
          (isBeginning && (id.startsWith(name) || sha256.startsWith(name)))
      )
  }

  async #tell(owner: DeviceId, name: string): Promise<{ device: string; because: string }[]> {
    const { network, view } = this.#parts
    const remove = { case: 'remove' as const, value: { name, onlyYours: true } }
    const request = create(RequestSchema, { body: { case: 'models', value: { body: remove } } })
    try {
      const reply = await network.request(owner, request)
      return reply.body.case === 'models' ? [] : [{ device: view.nameOf(owner), because: reply.error }]
    } catch (error) {
      return [{ device: view.nameOf(owner), because: error instanceof Error ? error.message : String(error) }]
    }
  }

  #there(): string {
    const { models } = this.#parts.view
    const names = models.names()
    return names.length === 0 ? ', which has none' : ` (there: ${names.join(', ')})`
  }

  #brief(id: ModelId): ModelsAnswer['removed'][number] {
    const { view } = this.#parts
    return { name: view.models.nameOf(id), id, digest: digestOf(view.manifest(id)) }
  }

  #report(manifest: ModelManifest, name: string): ModelReport {
    const { view } = this.#parts
    const { id, blocks } = manifest
    const claims = view.models.claimsOf(name)
    const owners = claims.flatMap(({ device, model }) => (model === id ? [device] : []))
    const isShadowed = claims[0] !== undefined && claims[0].model !== id
    const revision = claims.find(({ model }) => model === id)?.revision ?? 0n
    return {
      ...{ name, id, digest: digestOf(manifest), revision: Number(revision) },
      owners: owners.map(device => view.nameOf(device)),
      state: isShadowed ? 'shadowed' : owners.length > 0 ? 'owned' : 'orphaned',
      blocks: blocks.length,
      bytes: blocks.reduce((sum, block) => sum + block.bytes, 0),
      sources: this.#sources(id),
      carried: this.#carried(manifest)
    }
  }

  #carried({ id, blocks }: ModelManifest): Record<string, number[]> {
    const { view } = this.#parts
    const m = view.world.modelIndex(id)!
    return Object.fromEntries(
      view.world.devices.flatMap((device, n) => {
        const held = [...blocks.keys()].filter(k => view.world.carries(n, m, k))
        return held.length === 0 ? [] : [[view.nameOf(device.id), held] as const]
      })
    )
  }

  #sources(id: ModelId): string[] {
    const { view } = this.#parts
    return view.members().flatMap(({ device, sources, status }) => {
      const names = sourceNamesIn(status)
      return sources.flatMap(({ modelId, done }, i) =>
        modelId === id && !done ? [`${names[i] ?? i}@${view.nameOf(deviceId(device))}`] : []
      )
    })
  }
}

const digestOf = (manifest: ModelManifest | undefined): string => manifest?.sha256.slice(0, 12) ?? ''
