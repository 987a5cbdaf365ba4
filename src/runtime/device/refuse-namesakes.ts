import { UserError } from '../../core/user-error.ts'
import type { OwnedModel } from './owned-model.ts'

/** Sources know models by their names. @throws UserError `nameTaken` when two of a device have the same */
export const refuseNamesakes = (models: readonly OwnedModel[]): void => {
  const known = new Map<string, string>()
  for (const { name, file } of models) {
    const other = known.get(name)
    if (other !== undefined)
      throw new UserError(`two models are called "${name}": ${other} and ${file}; name one of them otherwise`, {
        code: 'nameTaken',
        facts: { name }
      })
    known.set(name, file)
  }
}
