import { subscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'

// Loaded into device processes by bench/processes.ts: what they write to their connections, and what of it is said beside data,
// by its kind. Written down when the process gets SIGUSR2.

interface Sum {
  messages: number
  bytes: number
}

const folder = process.env['TRIBUTARY_TRAFFIC']
if (isMainThread && folder !== undefined) {
  const kinds: Record<string, Sum> = {}
  const open = new Set<Socket>()
  let closed = 0
  const counted = (socket: Socket): void => {
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      closed += socket.bytesWritten
    })
  }
  const count = ({ kind, bytes }: { readonly kind: string; readonly bytes: number }): void => {
    kinds[kind] ??= { messages: 0, bytes: 0 }
    kinds[kind].messages++
    kinds[kind].bytes += bytes
  }
  for (const name of ['net.client.socket', 'net.server.socket'])
    subscribe(name, message => counted((message as { readonly socket: Socket }).socket))
  subscribe('tributary:control', message => count(message as Parameters<typeof count>[0]))
  process.on('SIGUSR2', () => {
    const sent = [...open].reduce((sum, { bytesWritten }) => sum + bytesWritten, closed)
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify({ sent, connections: open.size, kinds }))
  })
}
