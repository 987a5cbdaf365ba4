import type { NodeOptions } from './node-options.ts'

/** Whether the device stands for another one than this machine. */
export const isEmulated = ({ emulated, controlled }: Pick<NodeOptions, 'emulated' | 'controlled'>): boolean =>
  emulated || controlled
