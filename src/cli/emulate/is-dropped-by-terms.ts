import type { AdmissionTerms } from '../../core/admission-terms.ts'
import { isDropped, type SinkEntry } from '../../runtime/ports/sink-entry.ts'

/**
 * Whether a datum went by the terms of its source. One that waited in a queue that drops when its device left cannot wait for it to
 * come back: it is dropped like one that finds no room. Of a source that drops nothing, what went because its device stopped is lost.
 */
export const isDroppedByTerms = (entry: SinkEntry, { drop }: Pick<AdmissionTerms, 'drop'>): boolean =>
  isDropped(entry) && (entry.reason !== 'stopped' || drop !== 'none')
