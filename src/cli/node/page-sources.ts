import { Serial } from '../../core/serial.ts'
import { UserError } from '../../core/user-error.ts'
import type { SourceActions } from '../../dashboard/actions/dashboard-actions.ts'
import type { NodeConfig } from '../config/load-node-config.ts'
import { command } from '../node-command.ts'
import { NO_CHANGES, type SourceChanges, withSourceChanges } from './source-changes.ts'
import { sourceName } from './source-name.ts'

/** Adds, removes and weighs sources of this node by having its config read anew with these changes; a refused one is none. */
export class PageSources implements SourceActions {
  readonly #serial = new Serial()
  readonly #reload: () => Promise<unknown>
  readonly #load: () => Promise<NodeConfig>
  #changes: SourceChanges = NO_CHANGES

  /** @param load the config, without changes @param reload has the device be what `config` says then */
  constructor(load: () => Promise<NodeConfig>, reload: () => Promise<unknown>) {
    this.#load = load
    this.#reload = reload
  }

  /** What the device is to be now. @throws UserError */
  async config(): Promise<NodeConfig> {
    return withSourceChanges(await this.#load(), this.#changes)
  }

  add(config: string): Promise<readonly string[]> {
    return this.#serial.run(async () => {
      const { sourcesIn } = await import('./sources-in.ts') // it reads YAML, which few devices need
      const fresh = sourcesIn(config, command)
      const there = await this.#names()
      const taken = [...fresh.keys()].find(name => there.includes(name))
      if (taken !== undefined) throw new UserError(`this node has a source "${taken}" already: give it another name`)
      const { added, removed } = this.#changes
      await this.#become({
        ...this.#changes,
        added: new Map([...added, ...fresh]),
        removed: new Set([...removed].filter(name => !fresh.has(name)))
      })
      return [...fresh.keys()]
    })
  }

  remove(name: string): Promise<void> {
    return this.#serial.run(async () => {
      await this.#require(name)
      const { added, removed, weights } = this.#changes
      const without = <T>(of: ReadonlyMap<string, T>) => new Map([...of].filter(([other]) => other !== name))
      await this.#become({ added: without(added), removed: new Set([...removed, name]), weights: without(weights) })
    })
  }

  setWeight(name: string, weight: number): Promise<void> {
    return this.#serial.run(async () => {
      await this.#require(name)
      await this.#become({ ...this.#changes, weights: new Map([...this.#changes.weights, [name, weight]]) })
    })
  }

  async #names(): Promise<readonly string[]> {
    return (await this.config()).options.sources.map(sourceName)
  }

  async #require(name: string): Promise<void> {
    const names = await this.#names()
    if (!names.includes(name))
      throw new UserError(`this node has no source "${name}" (there: ${names.join(', ') || 'none'})`)
  }

  async #become(changes: SourceChanges): Promise<void> {
    const before = this.#changes
    this.#changes = changes
    try {
      await this.#reload()
    } catch (error) {
      this.#changes = before
      throw error
    }
  }
}
