import type { Engine } from '../../ports/engine.ts'
import { systemClock } from '../../system-clock.ts'
import { createEngine } from '../create-engine.ts'
import type { EngineOptions } from '../engine-options.ts'
import { checkProviderSettings } from './check-provider-settings.ts'
import { type FoundProvider, findProviders } from './find-providers.ts'
import { ProviderEngine } from './provider-engine.ts'
import type { ProviderChoice } from './provider-name.ts'
import type { AllProviderSettings } from './provider-settings.ts'

/** What blocks may run on besides cpu. */
export interface ProviderOptions {
  /** @default cpu */
  readonly provider?: ProviderChoice | undefined
  readonly providerSettings?: AllProviderSettings | undefined
  /** For people: one line. */
  readonly say: (text: string, level?: 'info' | 'warn') => void
}

/**
 * As `createEngine`, on the best of the execution providers that are asked for; with cpu alone nothing is added to it.
 * @throws UserError for settings of providers that are not asked for
 */
export const createProviderEngine = (engine: Omit<EngineOptions, 'provider'>, providers: ProviderOptions): Engine => {
  checkProviderSettings(providers)
  return (providers.provider ?? 'cpu') === 'cpu' ? createEngine(engine) : openProviderEngine(engine, providers)
}

/** The same, which tells how each provider did. */
export const openProviderEngine = (
  engine: Omit<EngineOptions, 'provider'>,
  { provider = 'cpu', providerSettings = {}, say }: ProviderOptions
): ProviderEngine => {
  const engineOf = ({ name, settings }: FoundProvider): Engine =>
    createEngine({ ...engine, tellsOwn: false, provider: { name, options: settings.options } })
  const find = async (signal: AbortSignal) => {
    const found = await findProviders(provider, providerSettings, { clock: systemClock, signal })
    return {
      ready: found.flatMap(one => (one.lack === undefined ? [{ ...one, engine: engineOf(one) }] : [])),
      absent: found.flatMap(({ name, lack }) => (lack === undefined ? [] : [{ name, because: lack }]))
    }
  }
  return new ProviderEngine({ cpu: createEngine(engine), find, clock: systemClock, isAuto: provider === 'auto', say })
}
