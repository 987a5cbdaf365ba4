import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** One that is none of the cluster: its connections are counted, and end at once. */
export const thirdHost = async (
  signal: AbortSignal
): Promise<{ readonly port: number; readonly accepted: () => number }> => {
  let accepted = 0
  const host = createServer(socket => {
    accepted++
    socket.on('error', () => {})
    socket.destroy()
  })
  host.listen(0, '127.0.0.1')
  await once(host, 'listening')
  signal.addEventListener('abort', () => host.close())
  return { port: (host.address() as AddressInfo).port, accepted: () => accepted }
}
