import type { IoSpec } from '../../runtime/io/io-spec.ts'
import type { NodeOptions } from './node-options.ts'

/** How files become tensors, as --preset or --io says; undefined without them. @throws UserError */
export const ioSpecOf = async ({ preset, io }: Pick<NodeOptions, 'preset' | 'io'>): Promise<IoSpec | undefined> => {
  if (preset === undefined && io === undefined) return undefined
  const { readIoSpec } = await import('../../runtime/io/read-io-spec.ts')
  return readIoSpec(preset !== undefined ? { preset } : { ioFile: io! })
}
