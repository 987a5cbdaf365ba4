import { UserError } from '../../core/user-error.ts'
import { sourceIdOf } from '../../runtime/device/source-runner.ts'
import { isLiveKind, type SourceSpec } from '../../runtime/io/source-spec.ts'

type Named = Pick<SourceSpec, 'name' | 'kind'>

/** What the sources of this process are and were, by id: sinks know the data of a source by its kind. */
export class SourceKinds {
  readonly #isLive = new Map<string, boolean>()
  #hasReadInput = false

  /** Its data come as long as it runs. */
  isLive(id: string): boolean {
    return this.#isLive.get(id) === true
  }

  /**
   * Sources that there will be.
   * @returns forgets those that are new @throws UserError for a name whose items were listed and are to come, or the reverse
   */
  take(sources: readonly Named[], device: string): () => void {
    const ids = sources.map(({ name, kind }) => ({ name, id: sourceIdOf(name, device), isLive: isLiveKind(kind) }))
    for (const { name, id, isLive } of ids) if ((this.#isLive.get(id) ?? isLive) !== isLive) throw otherKind(name)
    const fresh = ids.filter(({ id }) => !this.#isLive.has(id))
    for (const { id, isLive } of fresh) this.#isLive.set(id, isLive)
    return () => {
      for (const { id } of fresh) this.#isLive.delete(id)
    }
  }

  /** @throws UserError where one of these is to read standard input, and another one has */
  refuseInput(fresh: readonly Named[]): void {
    const reader = fresh.find(({ kind }) => kind === 'stdin')
    if (reader !== undefined && this.#hasReadInput)
      throw new UserError(
        `source ${reader.name}: standard input ends with the source that reads it; it changes, or comes again, only with a restart`
      )
  }

  /** These run now. */
  begun(fresh: readonly Named[]): void {
    if (fresh.some(({ kind }) => kind === 'stdin')) this.#hasReadInput = true
  }
}

const otherKind = (name: string): UserError =>
  new UserError(
    `source ${name}: dir and synthetic become watch, stdin, video or mqtt, and the reverse, only with a restart, or under another name`
  )
