import { close, constants, fstat, open, type Stats, write } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import type { LineStream, LineTarget } from './line-target.ts'

/** How people call this process's standard output. */
export const STDOUT: readonly string[] = ['-', 'stdout', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']

const STDOUT_FD = 1

/** @returns undefined where `path` is, or will be, a file that keeps what is written. @throws as the operating system says */
export const openLineTarget = async (path: string): Promise<LineTarget | undefined> => {
  if (STDOUT.includes(path)) return ofStdout(await promisify(fstat)(STDOUT_FD))
  const stats = await stat(path).catch(error => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (stats?.isFIFO()) return { name: path, mayReopen: true, open: () => openPipe(path) }
  if (stats?.isCharacterDevice()) return { name: path, mayReopen: true, open: () => openDevice(path) }
  return undefined
}

const ofStdout = (stats: Stats): LineTarget => {
  const target = (how: () => Promise<LineStream>): LineTarget => ({ name: '-', mayReopen: false, open: how })
  // Opened anew, a pipe can be waited for without changing how others, who share it, write into it.
  if (stats.isFIFO() && process.platform !== 'win32') return target(() => openPipe('/dev/stdout'))
  if (stats.isFile()) return target(async () => ofFd(STDOUT_FD, async () => {}))
  return target(async () => ofStream(process.stdout))
}

/** Does not wait for a reader: where there is none, it says so. */
const openPipe = async (path: string): Promise<LineStream> => {
  const fd = await promisify(open)(path, constants.O_WRONLY | (constants.O_NONBLOCK ?? 0))
  const socket = new Socket({ fd, readable: false, writable: true })
  const stream = ofStream(socket)
  return { ...stream, close: async () => void socket.destroy() }
}

const openDevice = async (path: string): Promise<LineStream> => {
  const fd = await promisify(open)(path, constants.O_WRONLY | (constants.O_NOCTTY ?? 0))
  return ofFd(fd, () => promisify(close)(fd))
}

const ofFd = (fd: number, end: () => Promise<void>): LineStream => ({
  write: async data => (await promisify(write)(fd, data)).bytesWritten,
  close: end
})

/** Also of a stream that breaks while nothing is written, and is told then. */
const ofStream = (stream: NodeJS.WritableStream): LineStream => {
  let broken: Error | undefined
  stream.on('error', error => {
    broken = error
  })
  return {
    write: async data => {
      if (broken !== undefined) throw broken
      await new Promise<void>((resolve, reject) => stream.write(data, error => (error ? reject(error) : resolve())))
      return data.byteLength
    },
    close: async () => {}
  }
}
