import { UserError } from '../core/user-error.ts'
import { portTrouble } from '../runtime/network/free-port.ts'
import { listenError } from '../runtime/network/listen-error.ts'
import { parseAddress } from '../runtime/network/parse-address.ts'
import type { DeviceFile } from '../runtime/state/state-folder.ts'

export interface ListenOptions {
  /** Addresses to listen on; empty: everywhere, on `port`. */
  readonly listen: readonly string[]
  /** 0: any. */
  readonly port: number
  /** `port`, or the next one that is free. */
  readonly anyPort: boolean
}

/** Ports from the wanted one on that `anyPort` tries. */
const ANY_OF = 100

/**
 * Where to listen: as `listen` says, or everywhere on `port`. What is taken is found before models are cut, which takes
 * minutes. With `anyPort` a device keeps the port that it had, as long as that is free: the others remember it.
 * @throws UserError `portInUse`, or `noFreePort` with `first` and `last`, or `cannotListen`
 */
export const chooseListen = async (
  { listen, port, anyPort }: ListenOptions,
  before: DeviceFile | undefined
): Promise<readonly string[]> => {
  if (listen.length > 0) {
    for (const text of listen) await refuseTaken(text)
    return listen
  }
  const range = Array.from({ length: anyPort ? ANY_OF : 1 }, (_, i) => port + i).filter(number => number <= 65535)
  const earlier = (before?.addresses ?? []).map(portOf).filter(number => range.includes(number))
  for (const candidate of anyPort ? [...earlier, ...range] : range) {
    const trouble = candidate === 0 ? undefined : await portTrouble('0.0.0.0', candidate)
    if (trouble === undefined) return [`0.0.0.0:${candidate}`]
    if (trouble !== 'EADDRINUSE') throw listenError(new Error(`${trouble}: 0.0.0.0:${candidate}`), [])
  }
  const last = range.at(-1)!
  if (anyPort)
    throw new UserError(`every port from ${port} to ${last} is in use`, {
      code: 'noFreePort',
      facts: { first: port, last }
    })
  throw new UserError(`port ${port} is in use, perhaps by another device on this machine`, {
    code: 'portInUse',
    facts: { port }
  })
}

const refuseTaken = async (text: string): Promise<void> => {
  const [, host, , port] = parseAddress(text, 'listen').toString().slice(1).split('/')
  if (host === undefined || port === '0') return
  const trouble = await portTrouble(host, Number(port))
  if (trouble !== undefined) throw listenError(new Error(`${trouble}: ${host}:${port}`), [text])
}

const portOf = (address: string): number => Number(/\/tcp\/(\d+)/.exec(address)?.[1])
