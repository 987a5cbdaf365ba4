import type { Attack } from './attack.ts'
import { type AttackedData, type HonestCluster, openHonestCluster } from './honest-cluster.ts'

/** The cluster that is attacked: the same one as long as it holds and the attacks want it so. */
export class AttackedClusters implements AsyncDisposable {
  readonly #data: AttackedData
  #open: { readonly flags: string; readonly cluster: HonestCluster } | undefined

  constructor(data: AttackedData) {
    this.#data = data
  }

  async of(attack: Attack): Promise<HonestCluster> {
    const { flags: all = [], sourceFlags = [] } = attack
    const flags = JSON.stringify([all, sourceFlags])
    if (this.#open?.flags !== flags) {
      await this.close()
      this.#open = { flags, cluster: await openHonestCluster(this.#data, all, sourceFlags) }
    }
    return this.#open.cluster
  }

  /** The next attack gets another one. */
  async close(): Promise<void> {
    await this.#open?.cluster[Symbol.asyncDispose]()
    this.#open = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
