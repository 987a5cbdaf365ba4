import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { listenError } from '../runtime/network/listen-error.ts'
import type { Endpoint } from '../runtime/parse-endpoint.ts'

/** @returns where it listens, with the port that it has got @throws UserError `portInUse`, `cannotListen` */
export const listenAt = async (server: Server, { host, port }: Endpoint): Promise<Endpoint> => {
  try {
    server.listen({ host, port })
    await once(server, 'listening')
    return { host, port: (server.address() as AddressInfo).port }
  } catch (error) {
    throw listenError(error, [`${host}:${port}`], true)
  }
}
