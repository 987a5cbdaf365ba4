import type { KeptNames } from '../../runtime/ports/kept-names.ts'

/** What of a device's names survives its process. */
export interface NamesDisk {
  names: unknown
}

/** Names in memory. */
export const memoryNames = (disk: NamesDisk = { names: undefined }): KeptNames => ({
  readNames: async () => structuredClone(disk.names),
  writeNames: async names => {
    disk.names = structuredClone(names)
  }
})
