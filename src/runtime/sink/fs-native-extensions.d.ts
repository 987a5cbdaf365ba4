/** What this program uses of the package, which has no types of its own: https://github.com/holepunchto/fs-native-extensions */
declare module 'fs-native-extensions' {
  /** On Linux fcntl(2) open file description locks, on macOS flock(2) (whole files only), on Windows LockFileEx. */
  export const tryLock: (fd: number, offset?: number, length?: number) => boolean
  export const setAttrSync: (fd: number, name: string, value: string) => void
  export const getAttrSync: (fd: number, name: string) => Buffer | null
}
