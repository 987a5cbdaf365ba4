import type { Clock } from '../../../core/clock.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import type { EngineProvider } from '../engine-options.ts'
import { askProbe, type ProbeAnswer } from './ask-probe.ts'
import { PROVIDERS, type ProviderChoice, type ProviderName } from './provider-name.ts'
import { type AllProviderSettings, DEFAULT_SETTINGS, type ProviderSettings } from './provider-settings.ts'

/** A provider as this machine has it. */
export interface FoundProvider {
  readonly name: ProviderName
  readonly settings: ProviderSettings
  /** Why it does not run here; undefined where it does. */
  readonly lack: string | undefined
}

/** A driver that says nothing for so long is not waited for. */
const PATIENCE: Seconds = seconds(60)

/** Which of its functions ONNX Runtime was in, and what it checked there: before what it says. */
const CALL = /^(?:OrtSessionOptions\w+: |onnxruntime::.* was false\. )/s

export interface FindParts {
  readonly clock: Clock
  /** Ends the search. */
  readonly signal: AbortSignal
  /** For tests. @default a process for each */
  readonly ask?: typeof askProbe
}

/**
 * Which of the providers that are asked for run on this machine: each runs a tiny model in a process of its own, all at once.
 * @param choice `auto`: all that the library was built with
 * @returns none for cpu
 */
export const findProviders = async (
  choice: ProviderChoice,
  settings: AllProviderSettings,
  { clock, signal, ask = askProbe }: FindParts
): Promise<readonly FoundProvider[]> => {
  if (choice === 'cpu') return []
  const bounded = (provider?: EngineProvider): Promise<ProbeAnswer> => inTime(clock, signal, own => ask(provider, own))
  const built = await bounded()
  const names = PROVIDERS.filter(name => name !== 'cpu' && (choice === 'auto' || name === choice))
  const isBuilt = (name: string): boolean => built.kind === 'built' && built.names.includes(name)
  const lackOf = async (name: ProviderName, { options }: ProviderSettings): Promise<string | undefined> => {
    if (built.kind === 'absent') return built.because
    if (!isBuilt(name)) return `ONNX Runtime for ${process.platform} ${process.arch} does not have it`
    const answer = await bounded({ name, options })
    return answer.kind === 'absent' ? answer.because.replace(CALL, '') : undefined
  }
  return Promise.all(
    names
      .filter(name => choice !== 'auto' || isBuilt(name))
      .map(async name => {
        const own = settings[name as Exclude<ProviderName, 'cpu'>] ?? DEFAULT_SETTINGS
        return { name, settings: own, lack: await lackOf(name, own) }
      })
  )
}

const inTime = async <T>(clock: Clock, signal: AbortSignal, work: (own: AbortSignal) => Promise<T>): Promise<T> => {
  const late = new AbortController()
  const done = new AbortController()
  clock.sleep(PATIENCE, { signal: done.signal }).then(
    () => late.abort(),
    () => {}
  )
  try {
    return await work(AbortSignal.any([signal, late.signal]))
  } finally {
    done.abort()
  }
}
