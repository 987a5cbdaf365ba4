import { promisify } from 'node:util'
import { gunzip, type InputType, inflate, type ZlibOptions } from 'node:zlib'
import { ServingError } from '../serving-error.ts'

const UNPACKERS = { gzip: gunzip, deflate: inflate }

/**
 * @param encoding as the call names it
 * @param most bytes that it may unpack to
 * @throws ServingError
 */
export const unpackMessage = async (
  packed: Uint8Array,
  encoding: string | undefined,
  most: number
): Promise<Uint8Array> => {
  if (encoding === undefined || !Object.hasOwn(UNPACKERS, encoding))
    throw new ServingError(
      'unsupported',
      `grpc-encoding "${encoding?.slice(0, 40) ?? 'identity'}" of a packed message: gzip and deflate are known here`
    )
  try {
    const unpack = UNPACKERS[encoding as keyof typeof UNPACKERS]
    return await promisify<InputType, ZlibOptions, Buffer>(unpack)(packed, { maxOutputLength: most })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new ServingError('tooLarge', `a message that unpacks to more than ${most} bytes, which is the limit here`)
    throw new ServingError('badRequest', `the message is not packed with ${encoding}: ${(error as Error).message}`)
  }
}
