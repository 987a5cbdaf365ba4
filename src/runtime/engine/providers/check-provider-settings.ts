import { UserError } from '../../../core/user-error.ts'
import type { ProviderOptions } from './create-provider-engine.ts'

/** What audits allow two devices to differ by in single precision, of the largest output. */
const AUDITED = 1e-3

/**
 * Whether what is set of providers can count for something; says what it may lead to.
 * @throws UserError for settings of providers none of which is asked for
 */
export const checkProviderSettings = ({ provider = 'cpu', providerSettings = {}, say }: ProviderOptions): void => {
  const set = Object.entries(providerSettings).flatMap(([name, settings]) =>
    settings === undefined ? [] : [{ name, settings }]
  )
  const used = set.filter(({ name }) => provider === 'auto' || name === provider)
  if (set.length > 0 && used.length === 0)
    throw new UserError(
      `provider options: they are of ${set.map(({ name }) => name).join(' and ')}, and the provider is ${provider}; ask for one of these, or for auto`
    )
  for (const { name, settings } of used)
    if (settings.limit > AUDITED)
      say(
        `${name}: its outputs may be off by ${settings.limit} of the largest, and audits allow ${AUDITED}: sources that audit may set this device aside`,
        'warn'
      )
}
