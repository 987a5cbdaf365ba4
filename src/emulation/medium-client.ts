import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { Medium } from './pacer.ts'

const grantSchema = z.object({ id: z.int(), wait: z.number() })

/**
 * A device's end of an emulated shared medium: it asks the arbiter for air and is told when it has it. Without an
 * arbiter any more, the air is free: the emulation is ending.
 */
export const createMediumClient = (address: string, clock: Clock): Medium => {
  const waiting = new Map<number, (wait: number) => void>()
  const releaseAll = (): void => {
    for (const grant of waiting.values()) grant(0)
    waiting.clear()
  }
  const socket = open(address, releaseAll)
  const lines = createInterface({ input: socket })
  lines.on('error', () => {}) // it says again what the socket said
  lines.on('line', line => {
    const grant = grantSchema.safeParse(parsed(line))
    if (!grant.success) return
    waiting.get(grant.data.id)?.(grant.data.wait)
    waiting.delete(grant.data.id)
  })
  let next = 1
  return {
    name: address,
    reserve: (takes: Seconds, link: number) =>
      new Promise<Seconds>(resolve => {
        if (socket.destroyed) return resolve(clock.now())
        const id = next++
        waiting.set(id, wait => resolve(seconds(clock.now() + wait)))
        socket.write(`${JSON.stringify({ id, link, takes })}\n`)
      })
  }
}

const open = (address: string, lost: () => void): Socket => {
  const at = address.lastIndexOf(':')
  const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) })
  socket.setNoDelay(true).unref().on('error', lost).on('close', lost)
  return socket
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
