import { findProviders } from '../../runtime/engine/providers/find-providers.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import type { Finding } from './finding.ts'

/** Which execution providers run here besides cpu; that there is none is nothing to be done about. */
export const checkProviders = async (): Promise<Finding> => {
  const check = 'execution providers'
  const found = await findProviders('auto', {}, { clock: systemClock, signal: new AbortController().signal })
  const ready = found.flatMap(({ name, lack }) => (lack === undefined ? [name] : []))
  const absent = found.flatMap(({ name, lack }) => (lack === undefined ? [] : [`${name}: ${lack}`]))
  const others = absent.length === 0 ? '' : ` (${absent.join('; ')})`
  if (ready.length === 0) return { check, state: 'ok', found: `cpu${others}` }
  return {
    check,
    state: 'note',
    found: `cpu, ${ready.join(', ')}${others}`,
    remedy: 'tributary profile MODEL --providers shows what they are good for; node --provider auto uses them'
  }
}
