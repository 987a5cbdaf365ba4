import { open } from 'node:fs/promises'
import { parse } from 'yaml'
import { checkedOptions } from '../../../core/checked-options.ts'
import { describeFileError } from '../../../core/describe-file-error.ts'
import { UserError } from '../../../core/user-error.ts'
import { type AllProviderSettings, providerSettingsSchema } from './provider-settings.ts'

/** Bytes of a file that names a few options. */
const MOST = 65_536

/** @throws UserError that names the file, the field, the value and the remedy */
export const readProviderSettings = async (file: string): Promise<AllProviderSettings> => {
  const origin = `provider options ${file}`
  const written = parseYaml(await readText(file, origin), origin)
  return checkedOptions(providerSettingsSchema, written ?? {}, origin, 'invalid')
}

const readText = async (file: string, origin: string): Promise<string> => {
  try {
    await using handle = await open(file)
    const { bytesRead, buffer } = await handle.read(new Uint8Array(MOST + 1))
    if (bytesRead > MOST) throw new UserError(`${origin}: has more than 64 KiB`)
    return new TextDecoder().decode(buffer.subarray(0, bytesRead))
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`${origin}: ${describeFileError(error)}`)
  }
}

const parseYaml = (text: string, origin: string): unknown => {
  try {
    return parse(text)
  } catch (error) {
    throw new UserError(`${origin}: is not YAML: ${(error as Error).message.split('\n')[0]}`)
  }
}
