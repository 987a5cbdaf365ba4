import type { DeviceId } from '../core/ids.ts'
import type { ModelManifest } from '../core/manifest.ts'
import type { ClusterView } from '../runtime/cluster/cluster-view.ts'
import type { OwnedModel } from '../runtime/device/owned-model.ts'
import { identityOf } from '../runtime/onnx/identity-of.ts'
import { ServingError } from './serving-error.ts'

/** What names of models stand for in the cluster: one file each, whichever devices brought it. */
export class ClusterNames {
  readonly #view: ClusterView

  constructor(view: ClusterView) {
    this.#view = view
  }

  /** Who is to be asked to take it out. */
  whose(name: string): string {
    const owners = this.#view.models.claimsOf(name).map(({ device }) => this.#view.nameOf(device))
    if (owners.length === 0) return 'the device of the cluster that brought it is away'
    return `another device of the cluster brought it, ${owners.join(', ')}: ask there`
  }

  /** @throws ServingError where another device has brought another file by its name, or with another configuration */
  async refuseAnother({ name, file, mostData }: OwnedModel): Promise<void> {
    const { models, self } = this.#view
    const others = models.claimsOf(name).filter(({ device }) => device !== self)
    if (others.length === 0) return
    const sha256 = await identityOf(file)
    for (const { device, model } of others) {
      const manifest = models.manifest(model)
      if (manifest?.sha256 !== sha256) throw this.#another(device)
      if (manifest.mostData !== mostData)
        throw new ServingError(
          'badRequest',
          `${this.#view.nameOf(device)} brought it with max_batch_size ${manifest.mostData ?? 0}: it is the same for all`
        )
    }
  }

  /** What is about to be brought here, by a name that another has given to another model while this one was cut. @throws ServingError */
  refuseLater(name: string, { id }: ModelManifest): void {
    const { models, self } = this.#view
    const other = models.claimsOf(name).find(({ device, model }) => device !== self && model !== id)
    if (other !== undefined) throw this.#another(other.device)
  }

  /** Two devices that brought something at the same instant did not know of each other. @throws ServingError where that of another counts */
  refuseOvertaken(name: string): void {
    const { models, self } = this.#view
    const [first] = models.claimsOf(name)
    if (first !== undefined && first.model !== models.resolve(name, self)?.id) throw this.#another(first.device)
  }

  #another(device: DeviceId): ServingError {
    return new ServingError(
      'badRequest',
      `the cluster has another file by that name, from ${this.#view.nameOf(device)}: give this one another name`
    )
  }
}
