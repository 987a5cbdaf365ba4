import { UserError } from '../../core/user-error.ts'
import type { NodeConfig } from '../config/load-node-config.ts'

/** What may change while a device runs; all else is for its start. */
const RELOADED = ['source', 'sink', 'preset', 'io', 'model', 'shape', 'blocks', 'cutAt', 'work', 'pinned']

/** @throws UserError with a line for each flag that a running device cannot change */
export const refuseFixed = (before: NodeConfig, after: NodeConfig): void => {
  const names = [...new Set([...Object.keys(before.flags), ...Object.keys(after.flags)])]
  const lines = names
    .filter(name => !RELOADED.includes(name) && inWords(before.flags[name]) !== inWords(after.flags[name]))
    .map(name => {
      const flag = name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
      const place = after.origin.place(flag) ?? before.origin.place(flag) ?? `--${flag}`
      return `${place}: ${flag} is ${inWords(before.flags[name])} and becomes ${inWords(after.flags[name])} only with a restart`
    })
  if (lines.length > 0) throw new UserError(lines.join('\n'))
}

const inWords = (value: unknown): string => (value === undefined ? 'not given' : [value].flat().join(', '))
