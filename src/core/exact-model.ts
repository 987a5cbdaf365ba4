import { LEAST_FINGERPRINT, parseModelReference } from './model-reference.ts'
import { UserError } from './user-error.ts'

/** @throws UserError where the text names no one model */
export const exactModel = (where: string, text: string): string => {
  if (parseModelReference(text).fingerprint !== undefined) return text
  throw new UserError(
    `${where} "${text}" is not NAME@FINGERPRINT with ${LEAST_FINGERPRINT} to 64 digits of it; tributary model list shows them`,
    { code: 'badOption', facts: { option: where } }
  )
}
