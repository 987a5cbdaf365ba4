import type { GenMessage } from '@bufbuild/protobuf/codegenv2'
import type { Signed } from '../../generated/tributary/v1/wire_pb.ts'
import { isSame, type OfCluster, readBody } from './read-signed.ts'

interface Wanted<M> {
  readonly schema: GenMessage<M & OfCluster>
  /** The key that is to have signed it. */
  readonly key: Uint8Array
  /** By what it says, before anything is verified: whether that is news. */
  readonly isNews: (said: M) => boolean
  /** @returns whether it was news after all; 'forged', taking nothing, where the key has not signed it */
  readonly take: (signed: Signed) => boolean | 'forged'
}

/**
 * One message about members, as it is read. To verify is dear and to compare is cheap: what is known or of another cluster
 * is not verified, and of a message with a forged record nothing more is read.
 */
export class RecordReading {
  readonly #mayVerify: () => boolean
  #isForged = false
  #isOver = false

  /** @param mayVerify asked before each signature */
  constructor(mayVerify: () => boolean = () => true) {
    this.#mayVerify = mayVerify
  }

  /** Something in it says that the cluster's key has signed it, and lies. */
  get isForged(): boolean {
    return this.#isForged
  }

  forged(): void {
    this.#isForged = true
    this.#isOver = true
  }

  /** @returns what was taken, in its order */
  take<M extends OfCluster>(told: readonly Signed[], { schema, key, isNews, take }: Wanted<M>): readonly Signed[] {
    const news: Signed[] = []
    for (const signed of told) {
      if (this.#isOver) break
      const said = readBody(signed, schema as GenMessage<M>)
      if (said === undefined) this.forged()
      else if (isSame(said.cluster, key) && isNews(said)) {
        if (!this.#mayVerify()) this.#isOver = true
        else this.#taken(signed, take(signed), news)
      }
    }
    return news
  }

  #taken(signed: Signed, found: boolean | 'forged', news: Signed[]): void {
    if (found === 'forged') this.forged()
    else if (found) news.push(signed)
  }
}
