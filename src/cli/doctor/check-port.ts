import { portTrouble } from '../../runtime/network/free-port.ts'
import { isReachable } from '../../runtime/network/is-reachable.ts'
import type { RunningDeviceFile } from '../../runtime/state/state-folder.ts'
import type { Finding } from './finding.ts'

const PRIVILEGED = 1024

/** Whether others can come to the device that runs, or one could listen where it is to. */
export const checkPort = async (port: number, running: RunningDeviceFile | undefined): Promise<Finding> => {
  const check = 'port'
  if (running !== undefined && (await isReachable(running.addresses)))
    return { check, state: 'ok', found: `the device listens on ${running.addresses.join(', ')}` }
  const trouble = port === 0 ? undefined : await portTrouble('0.0.0.0', port)
  if (trouble === undefined)
    return { check, state: 'ok', found: port === 0 ? 'any port is asked for' : `${port} is free` }
  if (trouble === 'EADDRINUSE')
    return {
      check,
      state: 'todo',
      found: `${port} is in use by another program`,
      remedy: 'give the device a port of its own (--port N), or let it take the next free one (--any-port)'
    }
  const remedy = port < PRIVILEGED ? `choose a port from ${PRIVILEGED} on (--port N)` : 'choose another one (--port N)'
  return { check, state: 'todo', found: `${port} cannot be listened on (${trouble})`, remedy }
}
