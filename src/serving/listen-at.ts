import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { UserError } from '../core/user-error.ts'
import type { Endpoint } from '../runtime/parse-endpoint.ts'

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another program: choose another port',
  EACCES: 'may not be used by this user: choose a port above 1023',
  EADDRNOTAVAIL: 'is no address of this machine'
}

/** @returns where it listens, with the port that it has got @throws UserError `portInUse`, `cannotListen` */
export const listenAt = async (server: Server, { host, port }: Endpoint): Promise<Endpoint> => {
  try {
    server.listen({ host, port })
    await once(server, 'listening')
    return { host, port: (server.address() as AddressInfo).port }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new UserError(`${host}:${port} ${WORDS[code] ?? message}`, {
      code: code === 'EADDRINUSE' ? 'portInUse' : 'cannotListen',
      facts: { host, port },
      cause: error
    })
  }
}
