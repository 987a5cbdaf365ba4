import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip, type InputType, inflate, inflateRaw, type ZlibOptions } from 'node:zlib'
import type { BufferPool } from '../../core/buffer-pool.ts'
import { copyBytes } from '../../runtime/copy-bytes.ts'
import type { ByteBudget } from '../byte-budget.ts'
import { ServingError } from '../serving-error.ts'

export interface ReadBodyOptions {
  /** Bytes, unpacked. */
  readonly most: number
  /** A body of which nothing more comes for so many milliseconds is given up. */
  readonly silence: number
  readonly budget: ByteBudget
  readonly buffers: BufferPool
}

/** A request's body, unpacked. Disposed: it counts no longer. */
export interface Body extends Disposable {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Nobody reads it any more: others may be given its memory. */
  reuse(): void
}

/**
 * @throws ServingError `tooLarge` before it is taken into memory, `tooSlow` where it does not go on, `badRequest` where it is
 *   not packed as it says
 */
export const readBody = async (request: IncomingMessage, options: ReadBodyOptions): Promise<Body> => {
  const { most, budget, buffers } = options
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > most) throw tooLarge(most)
  let taken = 0
  const take = (bytes: number): void => {
    budget.take(bytes)
    taken += bytes
  }
  let whole: Uint8Array<ArrayBuffer> | undefined
  const reuse = (): void => {
    if (whole !== undefined) buffers.give(whole)
    whole = undefined
  }
  const dispose = (): void => budget.giveBack(taken)
  try {
    take(declared)
    whole = declared > 0 ? buffers.take(declared) : undefined
    const packed = await collect(request, whole, options, take)
    const bytes = await unpack(packed, request.headers['content-encoding'], most)
    if (bytes !== packed) take(bytes.byteLength)
    return { bytes, reuse, [Symbol.dispose]: dispose }
  } catch (error) {
    reuse()
    dispose()
    throw error
  }
}

const tooLarge = (most: number): ServingError =>
  new ServingError('tooLarge', `the body has more than ${most} bytes, which is the limit here`)

const collect = (
  request: IncomingMessage,
  whole: Uint8Array<ArrayBuffer> | undefined,
  { most, silence }: ReadBodyOptions,
  take: (bytes: number) => void
): Promise<Uint8Array<ArrayBuffer>> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    // A request is nobody else's: its listeners stay, and hear nothing any more.
    let isOver = false
    const over = (): void => {
      isOver = true
      request.socket.setTimeout(0)
    }
    const fail = (error: () => ServingError): void => {
      if (isOver) return
      over()
      reject(error())
    }
    const onData = (chunk: Buffer): void => {
      if (isOver) return
      try {
        if (size + chunk.byteLength > (whole?.byteLength ?? most)) throw tooLarge(most)
        if (whole === undefined) {
          take(chunk.byteLength)
          chunks.push(chunk)
        } else copyBytes(chunk, whole, size)
        size += chunk.byteLength
      } catch (error) {
        fail(() => error as ServingError)
      }
    }
    const onEnd = (): void => {
      if (isOver) return
      over()
      // What stands behind it is of somebody else.
      if (whole !== undefined && size < whole.byteLength) reject(onCut())
      else resolve(whole ?? (Buffer.concat(chunks) as Buffer<ArrayBuffer>))
    }
    const onCut = (): ServingError => new ServingError('badRequest', `the body ended after ${size} bytes`)
    const onGone = (): void => fail(() => new ServingError('cancelled', 'the client has gone'))
    const onSilence = (): void =>
      fail(() => new ServingError('tooSlow', `nothing more of the body came for ${silence / 1000} s`))
    // Told to the request, since a socket whose request does not listen is ended without a word.
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone).on('timeout', onSilence)
    request.socket.setTimeout(silence)
  })

const unpack = async (
  packed: Uint8Array<ArrayBuffer>,
  encoding: string | undefined,
  most: number
): Promise<Uint8Array<ArrayBuffer>> => {
  const how = encoding?.trim().toLowerCase() ?? 'identity'
  if (how === 'identity' || how === '') return packed
  if (how !== 'gzip' && how !== 'x-gzip' && how !== 'deflate')
    throw new ServingError(
      'badRequest',
      `Content-Encoding "${how.slice(0, 40)}" is not known here; gzip and deflate are`
    )
  try {
    const unpacked = await promisify<InputType, ZlibOptions, Buffer>(unpackerOf(how, packed))(packed, {
      maxOutputLength: most
    })
    return unpacked as Buffer<ArrayBuffer>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(most)
    throw new ServingError('badRequest', `the body is not packed with ${how}: ${(error as Error).message}`)
  }
}

/** What is called deflate comes with a header of zlib, or without. */
const unpackerOf = (how: string, packed: Uint8Array) => {
  if (how !== 'deflate') return gunzip
  const [first = 0, second = 0] = packed
  return (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0 ? inflate : inflateRaw
}
