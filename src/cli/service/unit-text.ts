import { UserError } from '../../core/user-error.ts'

export interface UnitParts {
  readonly name: string
  readonly scope: 'system' | 'user'
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** Paths in the arguments are relative to it. */
  readonly folder: string
  /** Whom a unit of the machine runs as. */
  readonly runAs: string | undefined
  /** It reads its configuration again on SIGHUP. */
  readonly reloads: boolean
}

/** By its first line a unit is known for one that this command made, and may remove. */
export const MADE_BY = '# Made by tributary service install; tributary service uninstall removes it.'

/**
 * What docs/runtime.md advises for devices that live for weeks: tensors give their memory back when they go. Only glibc
 * reads these, and others leave them alone.
 */
const MEMORY = 'Environment=MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072'

/**
 * A unit of systemd. A device that ends by itself with an error is started again, also one whose port or disk is not there
 * yet; one that has done all that it had to do is not.
 */
export const unitText = ({ name, scope, command, folder, runAs, reloads }: UnitParts): string => `${MADE_BY}
[Unit]
Description=Tributary device ${specifiersKept(name)}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
${scope === 'system' && runAs !== undefined ? `User=${specifiersKept(runAs)}\n` : ''}WorkingDirectory=${specifiersKept(oneLine(folder))}
ExecStart=${command.map(quoted).join(' ')}
${reloads ? 'ExecReload=/bin/kill -HUP $MAINPID\n' : ''}${MEMORY}
Restart=on-failure
RestartSec=10
TimeoutStopSec=30
KillMode=mixed
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}
`

const oneLine = (text: string): string => {
  if (/[\n\r\0]/.test(text))
    throw new UserError(`${JSON.stringify(text)} has more than one line; a unit of systemd takes one`)
  return text
}

/** "%h" would be somebody's home. */
const specifiersKept = (text: string): string => text.replaceAll('%', '%%')

/** An argument means what it says: no variable, no specifier, no word's end is in it. */
const quoted = (argument: string): string => {
  const kept = specifiersKept(oneLine(argument)).replaceAll('$', '$$$$')
  if (/^[\w@%+=:,./$-]+$/.test(kept)) return kept
  return `"${kept.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
