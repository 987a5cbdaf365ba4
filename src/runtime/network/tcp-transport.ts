import { tcp } from '@libp2p/tcp'
import { isTcp } from './parse-address.ts'
import type { WireTransport } from './wire-transport.ts'

/** TCP, as Node has it. */
export const tcpTransport: WireTransport = {
  name: '/tcp',
  transport: tcp() as WireTransport['transport'],
  speaks: isTcp
}
