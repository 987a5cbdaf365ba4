import { UserError } from '../../core/user-error.ts'

const TCP = /^tcp:\/\/(?:\*|\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?):(\d{1,5}|\*)$/i
const IPC = /^ipc:\/\/\S{1,100}$/

/** Where a socket of ZeroMQ listens. @throws UserError with flag, value and form */
export const parseZmqEndpoint = (flag: string, text: string): string => {
  const [, port] = TCP.exec(text) ?? []
  if (IPC.test(text) || port === '*' || Number(port) <= 65_535) return text
  throw new UserError(`${flag} "${text}" must be tcp://HOST:PORT, tcp://*:PORT (all addresses) or ipc://PATH`)
}
