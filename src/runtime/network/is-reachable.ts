import { connect } from 'node:net'
import { parseAddress } from './parse-address.ts'

/** Milliseconds. On the same machine an answer takes one. */
const PATIENCE = 1000

/** Whether somebody accepts connections at one of the addresses. */
export const isReachable = async (addresses: readonly string[]): Promise<boolean> =>
  (await Promise.all(addresses.map(accepts))).includes(true)

const accepts = (address: string): Promise<boolean> =>
  new Promise(resolve => {
    const [, host, , port] = parseAddress(address, 'join').toString().slice(1).split('/')
    const socket = connect({ host: host!, port: Number(port) })
    const end = (is: boolean) => (): void => {
      socket.destroy()
      resolve(is)
    }
    socket.setTimeout(PATIENCE, end(false))
    socket.once('connect', end(true)).once('error', end(false))
  })
