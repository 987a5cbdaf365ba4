import '../no-telemetry.ts'
import { forkApart } from '../../fork-apart.ts'
import { onceEnded } from '../../once-ended.ts'
import type { EngineProvider } from '../engine-options.ts'
import { scriptOf } from '../lane-thread.ts'

/** What the probing process says, once. */
export type ProbeAnswer =
  /** What the library on this machine was built for; libraries or drivers may be missing all the same. */
  | { readonly kind: 'built'; readonly names: readonly string[] }
  | { readonly kind: 'runs' }
  | { readonly kind: 'absent'; readonly because: string }

/**
 * Ask in a process of its own: the driver of an accelerator may crash or hang, and that is then that process's end.
 * @param provider whether it runs; undefined: what there is @param signal ends it
 */
export const askProbe = (provider: EngineProvider | undefined, signal: AbortSignal): Promise<ProbeAnswer> =>
  new Promise(resolve => {
    const args = provider === undefined ? [] : [JSON.stringify(provider)]
    // What drivers write to standard error is nothing for a device's log.
    const child = forkApart(scriptOf('probe-process'), args, { signal, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    child.once('message', (answer: ProbeAnswer) => resolve(answer))
    child.once('error', ({ message }) =>
      resolve({ kind: 'absent', because: signal.aborted ? 'it has not answered in time' : message })
    )
    onceEnded(child, (code, how) =>
      resolve({ kind: 'absent', because: `trying it ended its process with ${code ?? how}` })
    )
  })
