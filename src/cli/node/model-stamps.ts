import { stat } from 'node:fs/promises'

/** By file: what it looks like. */
export type ModelStamps = ReadonlyMap<string, string>

/** @param before what is known of files that are away now, which says nothing of their models */
export const modelStamps = async (
  models: readonly { readonly file: string }[],
  before: ModelStamps = new Map()
): Promise<ModelStamps> => {
  const stamps = new Map<string, string>()
  for (const { file } of models) {
    const stats = await stat(file).catch(() => undefined)
    const stamp = stats === undefined ? before.get(file) : `${stats.size}:${stats.mtimeMs}:${stats.ino}`
    if (stamp !== undefined) stamps.set(file, stamp)
  }
  return stamps
}
