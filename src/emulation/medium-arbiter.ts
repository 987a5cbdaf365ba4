import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { SharedAir } from './shared-air.ts'

const requestSchema = z.object({ id: z.int(), link: z.int(), takes: z.number().min(0) })

export interface MediumArbiter extends AsyncDisposable {
  /** host:port, for the devices. */
  readonly address: string
  /** Seconds of air given out so far. */
  busy(): number
}

/**
 * One shared medium of an emulated network: one server for all links of all devices on it, which share it by equal time as in
 * the simulator. Devices ask for seconds of air over a local socket and are told when they have it.
 */
export const openMediumArbiter = async (clock: Clock): Promise<MediumArbiter> => {
  const sockets = new Set<Socket>()
  const air = new SharedAir(clock)
  let devices = 0
  const server = createServer(socket => {
    const device = devices++
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    const lines = createInterface({ input: socket })
    lines.on('error', () => {}) // it says again what the socket said: the device is gone
    lines.on('line', line => {
      const request = requestSchema.safeParse(parsed(line))
      if (!request.success) return
      const { id, link, takes } = request.data
      air.ask(`${device} ${link}`, takes, wait => socket.write(`${JSON.stringify({ id, wait })}\n`))
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the arbiter has no address')
  return {
    address: `127.0.0.1:${bound.port}`,
    busy: () => air.busy,
    [Symbol.asyncDispose]: async () => {
      air.close()
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}

/** The last line of a device that was killed may be half of one. */
const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
