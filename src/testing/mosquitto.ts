import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seconds } from '../core/units.ts'
import { systemClock } from '../runtime/system-clock.ts'

/** Whether there is a broker to test with; says so where there is none. */
export const hasMosquitto = (): boolean => {
  const isThere = spawnSync('mosquitto', ['-h']).error === undefined
  if (!isThere) console.info('skipped: what needs a broker; mosquitto is not installed (apt-get install mosquitto)')
  return isThere
}

export interface Mosquitto {
  readonly port: number
  start(): Promise<void>
  /** It keeps what it has for the next start. */
  stop(how?: NodeJS.Signals): Promise<void>
}

/** A broker on this machine, not started yet; the caller stops it. */
export const createMosquitto = async (): Promise<Mosquitto> => {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'tributary-mosquitto-'))
  const config = join(folder, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${folder}/`
  ]
  writeFileSync(
    config,
    [...lines, 'autosave_interval 1', 'autosave_on_changes true', `user ${process.env['USER'] ?? 'root'}`, ''].join(
      '\n'
    )
  )
  let child: ChildProcess | undefined
  return {
    port,
    start: async () => {
      child = spawn('mosquitto', ['-c', config], { stdio: 'ignore' })
      while (!(await answers(port))) await systemClock.sleep(seconds(0.02))
    },
    stop: async (how = 'SIGTERM') => {
      if (child === undefined) return
      const ended = new Promise(resolve => child!.once('close', resolve))
      child.kill(how)
      await ended
      child = undefined
    }
  }
}

/** On loopback, free just now. */
export const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const answers = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
