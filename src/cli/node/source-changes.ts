import type { NodeConfig } from '../config/load-node-config.ts'
import type { NodeFlags } from './node-flags.ts'
import { parseNodeOptions } from './node-options.ts'
import { sourceName } from './source-name.ts'

/** Sources that somebody added, removed and weighed while the device ran; until its next start they go before its config. */
export interface SourceChanges {
  /** Each as the command line has it, by name. */
  readonly added: ReadonlyMap<string, string>
  readonly removed: ReadonlySet<string>
  readonly weights: ReadonlyMap<string, number>
}

export const NO_CHANGES: SourceChanges = { added: new Map(), removed: new Set(), weights: new Map() }

/** @throws UserError with what is wrong with the whole then */
export const withSourceChanges = (config: NodeConfig, { added, removed, weights }: SourceChanges): NodeConfig => {
  const own = (config.flags['source'] as readonly string[]).filter(
    word => !added.has(sourceName(word)) && !removed.has(sourceName(word))
  )
  const source = [...own, ...added.values()].map(word => {
    const weight = weights.get(sourceName(word))
    return weight === undefined ? word : `${word.replace(/,weight=[^,]*/g, '')},weight=${weight}`
  })
  const flags = { ...config.flags, source }
  return { ...config, flags, options: parseNodeOptions(flags as unknown as NodeFlags, config.origin) }
}
