import { statSync } from 'node:fs'
import { seconds } from '../../core/units.ts'
import { wallDate, wallTime } from '../../runtime/system-clock.ts'
import { runProgram } from '../run-program.ts'
import type { Finding } from './finding.ts'

const DAY = seconds(86_400)
const REMEDY = 'let the clock be set by the network (systemd: timedatectl set-ntp true)'

/** Nothing is decided by dates; the times of logs and results are made of them. */
export const checkClock = async (): Promise<Finding> => {
  const check = 'clock'
  const today = wallDate().toISOString().slice(0, 16).replace('T', ' ')
  const installed = seconds(statSync(process.argv[1]!).mtimeMs / 1000)
  if (wallTime() < installed - DAY)
    return { check, state: 'todo', found: `it is ${today} UTC here, before this program was made`, remedy: REMEDY }
  const { code, stdout } = await runProgram(['timedatectl', 'show', '--property=NTPSynchronized', '--value']).catch(
    () => ({ code: 1, stdout: '' })
  )
  if (code !== 0) return { check, state: 'ok', found: `${today} UTC; whether something sets it is not known` }
  if (stdout.trim() === 'yes') return { check, state: 'ok', found: `${today} UTC, set by the network` }
  return { check, state: 'note', found: `${today} UTC, and nothing sets it`, remedy: REMEDY }
}
