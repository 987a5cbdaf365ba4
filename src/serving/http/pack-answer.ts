import { promisify } from 'node:util'
import { constants, deflate, gzip } from 'node:zlib'

const FAST = { level: constants.Z_BEST_SPEED }

/** @returns which of the ways that a client takes is used; undefined: as it is */
export const chosenPacking = (accepted: string | undefined): 'gzip' | 'deflate' | undefined => {
  if (accepted === undefined) return undefined
  const taken = accepted.split(',').flatMap(part => {
    const [name = '', ...rest] = part.split(';').map(text => text.trim().toLowerCase())
    return rest.some(text => /^q=0(?:\.0*)?$/.test(text)) ? [] : [name]
  })
  if (taken.includes('gzip')) return 'gzip'
  return taken.includes('deflate') ? 'deflate' : undefined
}

export const packAnswer = (body: Buffer, how: 'gzip' | 'deflate'): Promise<Buffer> =>
  how === 'gzip' ? promisify(gzip)(body, FAST) : (promisify(deflate)(body, FAST) as Promise<Buffer>)
