import { stat } from 'node:fs/promises'

/** Whether there is a file, and no folder, at that path. */
export const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isFile(),
    () => false
  )
