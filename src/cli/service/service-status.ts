import { hostname } from 'node:os'
import { formatBytes } from '../../core/format-quantity.ts'
import { UserError } from '../../core/user-error.ts'
import { runProgram } from '../run-program.ts'
import type { ServiceFlags } from './service-flags.ts'
import { type ServiceUnit, serviceUnit } from './service-unit.ts'

/** What `tributary service status --json` prints. */
export interface ServiceReport extends ServiceUnit {
  readonly installed: boolean
  /** It starts with the machine. */
  readonly enabled: boolean
  readonly running: boolean
  /** In systemd's words: "active (running)". */
  readonly state: string
  readonly pid: number | null
  /** Bytes, where systemd counts them. */
  readonly memory: number | null
  /** How often systemd has started it again. */
  readonly restarts: number
  /** In systemd's words, since when. */
  readonly since: string
}

const ASKED = [
  ...['LoadState', 'ActiveState', 'SubState', 'UnitFileState', 'MainPID', 'MemoryCurrent', 'NRestarts'],
  'StateChangeTimestamp'
]

/** Print what systemd says of the unit of a device; exit code 1 where it does not run. */
export const serviceStatus = async (flags: ServiceFlags): Promise<void> => {
  const report = await askSystemd(serviceUnit(flags.name ?? hostname(), flags))
  process.stdout.write(`${flags.json === true ? JSON.stringify(report) : describe(report)}\n`)
  if (!report.running) process.exitCode = 1
}

const askSystemd = async (place: ServiceUnit): Promise<ServiceReport> => {
  const systemctl = place.scope === 'user' ? ['systemctl', '--user'] : ['systemctl']
  const { code, stdout, stderr } = await runProgram([...systemctl, 'show', place.unit, `--property=${ASKED.join()}`])
  if (code !== 0) throw new UserError(`${systemctl.join(' ')} show ended with ${code}: ${stderr.trim()}`)
  return reportOf(place, stdout)
}

/** @param shown lines of KEY=VALUE */
export const reportOf = (place: ServiceUnit, shown: string): ServiceReport => {
  const said = new Map(shown.split('\n').map(line => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)]))
  const number = (key: string): number | null => {
    const value = Number(said.get(key) || Number.NaN)
    return Number.isSafeInteger(value) && value > 0 ? value : null
  }
  return {
    ...place,
    installed: said.get('LoadState') === 'loaded',
    enabled: said.get('UnitFileState') === 'enabled',
    running: said.get('ActiveState') === 'active',
    state: `${said.get('ActiveState') ?? 'unknown'} (${said.get('SubState') ?? 'unknown'})`,
    pid: number('MainPID'),
    memory: number('MemoryCurrent'),
    restarts: number('NRestarts') ?? 0,
    since: said.get('StateChangeTimestamp') ?? ''
  }
}

const describe = ({ unit, scope, installed, enabled, running, ...report }: ServiceReport): string => {
  if (!installed) return `${unit} is not installed (${scope}); install it with: tributary service install`
  const facts = [
    ...(report.pid === null ? [] : [`process ${report.pid}`]),
    ...(report.memory === null ? [] : [formatBytes(report.memory)]),
    `started again ${report.restarts} times`,
    enabled ? 'starts with the machine' : 'does not start with the machine'
  ]
  const log = `journalctl ${scope === 'user' ? '--user ' : ''}-u ${unit}`
  return [
    `${unit}: ${report.state}${report.since === '' ? '' : ` since ${report.since}`}`,
    `  ${facts.join(', ')}`,
    ...(running ? [] : [`  why: ${log}`])
  ].join('\n')
}
