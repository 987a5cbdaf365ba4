import { DEFAULT_PORT } from '../../runtime/network/default-port.ts'
import { type StateFolder, stateFolderOf } from '../../runtime/state/state-folder.ts'
import type { DoctorFlags } from '../doctor-command.ts'
import { parseNumber } from '../node/parse-number.ts'
import { nodeOfFlags } from '../node-of-flags.ts'

/** The device that is looked at, whether it runs or not. */
export interface Patient {
  readonly name: string
  readonly folder: StateFolder
  /** 0: any. */
  readonly port: number
  readonly mdns: boolean
  /** Of its configuration, where one was named. */
  readonly sources: readonly string[]
  /** Bytes for blocks; Infinity where that is not limited, or not known. */
  readonly memory: number
}

/** @throws UserError where the configuration, or a flag, is wrong */
export const patientOf = async (flags: DoctorFlags & { readonly name: string }): Promise<Patient> => {
  const options = flags.config === undefined ? undefined : (await nodeOfFlags(['--config', flags.config])).options
  const name = options?.name ?? flags.name
  const given = flags.port === undefined ? undefined : parseNumber('--port', flags.port, PORTS)
  return {
    name,
    folder: stateFolderOf(name, flags.state ?? options?.state),
    port: given ?? (options !== undefined && options.listen.length === 0 ? options.port : DEFAULT_PORT),
    mdns: flags.mdns && (options?.mdns ?? true),
    sources: options?.sources ?? [],
    memory: options?.memory ?? Number.POSITIVE_INFINITY
  }
}

const PORTS = { least: 0, most: 65535, isWhole: true }
