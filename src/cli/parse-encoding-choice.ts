import { ENCODING_CHOICES, type EncodingChoice } from '../core/activation-encoding.ts'
import { nearest } from '../core/nearest.ts'
import { UserError } from '../core/user-error.ts'

/** The flag's line in --help. */
export const ENCODING_HELP = `how activations travel between devices: ${ENCODING_CHOICES.join(', ')}; anything but fp32 changes results a little`

/** @throws UserError that names the flag, the value and what there is */
export const parseEncodingChoice = (text: string): EncodingChoice => {
  const choice = ENCODING_CHOICES.find(known => known === text)
  if (choice !== undefined) return choice
  const near = nearest(text, ENCODING_CHOICES)
  const meant = near === undefined ? '' : ` (did you mean ${near}?)`
  throw new UserError(
    `--activation-encoding "${text}" is not an encoding${meant}; known: ${ENCODING_CHOICES.join(', ')}`
  )
}
