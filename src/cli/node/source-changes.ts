import type { Command } from 'commander'
import { UserError } from '../../core/user-error.ts'
import type { NodeConfig } from '../config/load-node-config.ts'
import { parseConfig } from '../config/parse-config.ts'
import type { NodeFlags } from './node-flags.ts'
import { parseNodeOptions } from './node-options.ts'

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
    word => !added.has(nameOf(word)) && !removed.has(nameOf(word))
  )
  const source = [...own, ...added.values()].map(word => {
    const weight = weights.get(nameOf(word))
    return weight === undefined ? word : `${word.replace(/,weight=[^,]*/g, '')},weight=${weight}`
  })
  const flags = { ...config.flags, source }
  return { ...config, flags, options: parseNodeOptions(flags as unknown as NodeFlags, config.origin) }
}

/**
 * What a piece of a config file adds: sources and nothing else, each by name.
 * @param node the command whose flags a config has @throws UserError with line, key and remedy
 */
export const sourcesIn = (text: string, node: Command): ReadonlyMap<string, string> => {
  const options = node.options.filter(({ long }) => long === '--source')
  const { values } = parseConfig(text, 'what was sent', options)
  const words = (values.get('source') ?? []) as readonly string[]
  if (words.length === 0) throw new UserError('what was sent: it has no source; write "source:" and its keys below')
  return new Map(words.map(word => [nameOf(word), word]))
}

const nameOf = (word: string): string => word.slice(0, word.indexOf('='))
