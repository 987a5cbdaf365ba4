import { Serial } from '../../core/serial.ts'
import { UserError } from '../../core/user-error.ts'
import type { Device } from '../../runtime/device/device.ts'
import type { StateFolder } from '../../runtime/state/state-folder.ts'
import type { NodeConfig } from '../config/load-node-config.ts'
import { withFlags } from '../with-flags.ts'
import { describeReload } from './describe-reload.ts'
import { ioSpecOf } from './io-spec-of.ts'
import { modelChanges } from './model-changes.ts'
import { type ModelStamps, modelStamps } from './model-stamps.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeSources } from './node-sources.ts'
import { ownedModels } from './owned-models.ts'
import { refuseFixed } from './refuse-fixed.ts'
import type { ReloadReport } from './reload-report.ts'

export interface ReloaderParts {
  readonly device: Device
  readonly sources: NodeSources
  readonly folder: StateFolder
  readonly log: NodeLog
  /** As it was started. */
  readonly config: NodeConfig
  /** Of its models, before it read them. */
  readonly stamps: ModelStamps
  /** As it is to be now. @throws UserError */
  readonly load: () => Promise<NodeConfig>
}

/** Brings sources, sinks and models to what the config file says now, wholly or not at all. One reload at a time. */
export class Reloader {
  readonly #parts: ReloaderParts
  readonly #serial = new Serial()
  #config: NodeConfig
  #stamps: ModelStamps
  #times = 0
  #tell: (() => void)[] = []

  constructor(parts: ReloaderParts) {
    this.#parts = parts
    this.#config = parts.config
    this.#stamps = parts.stamps
  }

  /** @returns what has changed @throws UserError when the new config is refused: the old one goes on */
  reload(): Promise<ReloadReport> {
    return this.#serial.run(async () => {
      const { log } = this.#parts
      try {
        const report = await this.#reload()
        log.say(`config read anew: ${describeReload(report)}`)
        this.#times++
        for (const tell of this.#tell.splice(0)) tell()
        return report
      } catch (error) {
        const words = error instanceof UserError ? withFlags(error) : String(error)
        for (const line of words.split('\n')) log.say(`config refused, the old one goes on: ${line}`, 'warn')
        throw new UserError(words, { cause: error })
      }
    })
  }

  /** How many were not refused, once none is under way. */
  settled(): Promise<number> {
    return this.#serial.run(async () => this.#times)
  }

  /** When one has ended that was not refused. */
  next(): Promise<void> {
    return new Promise(resolve => this.#tell.push(resolve))
  }

  async #reload(): Promise<ReloadReport> {
    const { device, folder, load, sources: all } = this.#parts
    const next = await load()
    refuseFixed(this.#config, next)
    const [before, spec] = [await ioSpecOf(this.#config.options), await ioSpecOf(next.options)]
    const stamps = await modelStamps(next.options.models, this.#stamps)
    const models = modelChanges(
      device,
      await ownedModels(this.#config.options, folder, before),
      await ownedModels(next.options, folder, spec),
      { before: this.#stamps, after: stamps }
    )
    const sources = await all.prepare(next.options, spec)
    try {
      await models.commit()
      await sources.check().catch(async error => {
        await models.undo()
        throw error
      })
    } catch (error) {
      await sources.undo()
      throw error
    }
    await sources.commit()
    await models.remove()
    this.#config = next
    this.#stamps = stamps
    const { added, changed, removed } = models
    return { models: { added, changed, removed }, sources: sources.sources, sinks: sources.sinks } as ReloadReport
  }
}
