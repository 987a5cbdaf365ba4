import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * A script in a process of its own, outside of the terminal's group: Ctrl-C there, or a service manager's signal to the group,
 * reaches this process only, and when to stop is for it to say. The script is to end when this process does: `disconnect`.
 */
export const forkApart = (
  script: URL,
  args: readonly string[],
  options: Pick<ForkOptions, 'execArgv' | 'serialization' | 'stdio'> & { readonly signal?: AbortSignal | undefined }
): ChildProcess => {
  const { signal, ...rest } = options
  return fork(fileURLToPath(script), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    detached: true,
    ...rest,
    ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' as const })
  })
}
