import { nearest } from '../../core/nearest.ts'
import { UserError } from '../../core/user-error.ts'
import { identityOf } from './open-branch.ts'
import { type SinkSpec, shownTarget } from './sink-spec.ts'

/**
 * @param sources names of those that there are
 * @throws UserError when one names another source, two are the same, or results of a source would go nowhere
 */
export const refuseOddSinks = (specs: readonly SinkSpec[], sources: readonly string[]): void => {
  for (const spec of specs) checkSources(spec, sources)
  refuseTwice(specs)
  const lost = sources.find(name => !specs.some(spec => spec.sources === undefined || spec.sources.includes(name)))
  if (lost !== undefined)
    throw new UserError(`source ${lost}: no sink takes its results; add one, or add ${lost} to the sources of one`)
}

const checkSources = ({ text, sources = [] }: SinkSpec, names: readonly string[]): void => {
  for (const name of sources) {
    if (names.includes(name)) continue
    const near = nearest(name, names)
    throw new UserError(
      `sink "${shownTarget(text)}": sources: there is no source "${name}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${names.join(', ')})`
    )
  }
}

const refuseTwice = (specs: readonly SinkSpec[]): void => {
  const seen = new Set<string>()
  for (const spec of specs) {
    const identity = identityOf([spec])
    if (seen.has(identity)) throw new UserError(`sink ${shownTarget(spec.text)}: is given twice; keep one`)
    seen.add(identity)
  }
}
