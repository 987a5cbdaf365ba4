import { useEffect, useState } from 'preact/hooks'
import type { ShownResult } from '../shown-result.ts'
import { ask } from './ask.ts'

export interface ShownPicture {
  readonly url: string
  /** In whose pixels boxes are. */
  readonly width: number
  readonly height: number
  /** The datum that it is of: another one than was asked for until that has come. */
  readonly of: ShownResult
}

/** What a datum was made of, as far as that is a picture that is still there. */
export const usePicture = (result: ShownResult | undefined): ShownPicture | undefined => {
  const [picture, setPicture] = useState<ShownPicture>()
  useEffect(() => {
    if (result === undefined || !result.hasPicture) return setPicture(undefined)
    const over = new AbortController()
    const { source, datum } = result
    ask(`api/results/picture?source=${encodeURIComponent(source)}&datum=${datum}`, { signal: over.signal })
      .then(async answer => {
        if (!answer.ok) return setPicture(undefined)
        const size = (name: string): number => Number(answer.headers.get(name))
        const [width, height] = [size('picture-width'), size('picture-height')]
        setPicture({ url: URL.createObjectURL(await answer.blob()), width, height, of: result })
      })
      .catch(() => {}) // another one is shown, or the node is away
    return () => over.abort()
  }, [result?.number])
  // Once it is shown no more.
  useEffect(() => () => picture && URL.revokeObjectURL(picture.url), [picture?.url])
  return picture
}
