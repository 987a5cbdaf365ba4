import { dirname, sep } from 'node:path'
import type { OwnedModel } from '../runtime/device/owned-model.ts'

/** Where a file lies here is not theirs to know. A shape that is missing they send in a configuration: they give this node no options. */
export const forClients = ({ message }: Error, { name, file }: OwnedModel): string =>
  message
    .replaceAll(file, name)
    .replaceAll(`${dirname(file)}${sep}`, '')
    .replace(/(?:fix it|give one), for example with shape (\S+?)=(\d+(?:x\d+)*).*$/, (_, input, dims) => {
      const config = { input: [{ name: input, dims: dims.split('x').map(Number) }] }
      return `send its dims in the parameter 'config', for example ${JSON.stringify(config)}`
    })
