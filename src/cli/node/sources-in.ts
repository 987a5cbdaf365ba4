import type { Command } from 'commander'
import { UserError } from '../../core/user-error.ts'
import { parseConfig } from '../config/parse-config.ts'
import { sourceName } from './source-name.ts'

/**
 * What a piece of a config file adds: sources and nothing else, each by name.
 * @param node the command whose flags a config has @throws UserError with line, key and remedy
 */
export const sourcesIn = (text: string, node: Command): ReadonlyMap<string, string> => {
  const options = node.options.filter(({ long }) => long === '--source')
  const { values } = parseConfig(text, 'what was sent', options)
  const words = (values.get('source') ?? []) as readonly string[]
  if (words.length === 0) throw new UserError('what was sent: it has no source; write "source:" and its keys below')
  return new Map(words.map(word => [sourceName(word), word]))
}
