import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'

const requestSchema = z.object({ id: z.int(), takes: z.number().min(0) })

export interface MediumArbiter extends AsyncDisposable {
  /** host:port, for the devices. */
  readonly address: string
  /** Seconds of air given out so far. */
  busy(): number
}

/** Whoever asks this soon after the air became free was waiting for a timer that was late. */
const PROMPT = 0.002

/**
 * One shared medium of an emulated network: a first-in-first-out server over all devices that send on it. Devices ask for
 * seconds of air over a local socket and are told how long to wait for it.
 */
export const openMediumArbiter = async (clock: Clock): Promise<MediumArbiter> => {
  const sockets = new Set<Socket>()
  let free = 0
  let busy = 0
  const reserve = (takes: number): number => {
    const now = clock.now()
    const starts = now - free < PROMPT && free > 0 ? free : Math.max(now, free)
    free = starts + takes
    busy += takes
    return Math.max(0, starts - now)
  }
  const server = createServer(socket => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    const lines = createInterface({ input: socket })
    lines.on('error', () => {}) // it says again what the socket said: the device is gone
    lines.on('line', line => {
      const request = requestSchema.safeParse(parsed(line))
      if (!request.success) return
      const { id, takes } = request.data
      socket.write(`${JSON.stringify({ id, wait: reserve(takes) })}\n`)
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the arbiter has no address')
  return {
    address: `127.0.0.1:${bound.port}`,
    busy: () => busy,
    [Symbol.asyncDispose]: async () => {
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
