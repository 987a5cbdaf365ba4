/** How a model is named: by what it is called, or by that and by what it is. */
export interface ModelReference {
  readonly name: string
  /** The beginning of its id, in lower-case hex. */
  readonly fingerprint: string | undefined
}

/** Fewer digits could be had by trying. */
export const LEAST_FINGERPRINT = 12
const FULL = 64

/** `name`, or `name@fingerprint`. What ends in no fingerprint is a name, whatever is in it. */
export const parseModelReference = (text: string): ModelReference => {
  const [, name, fingerprint] = /^(.+)@([0-9a-f]+)$/.exec(text) ?? []
  const isFingerprint =
    fingerprint !== undefined && fingerprint.length >= LEAST_FINGERPRINT && fingerprint.length <= FULL
  return isFingerprint ? { name: name!, fingerprint } : { name: text, fingerprint: undefined }
}

/** Enough of an id to name a model by. */
export const fingerprintOf = (id: string): string => id.slice(0, 16)
