/** Where lines go that nobody keeps: a pipe, a terminal, a device. */
export interface LineTarget {
  /** For people: `-`, or its path. */
  readonly name: string
  /** Whether it may be opened again once its reader is gone: a FIFO may have another. */
  readonly mayReopen: boolean
  /** @throws as the operating system says, where nobody reads it now */
  open(): Promise<LineStream>
}

export interface LineStream {
  /** Waits for a reader that is slow. @returns how many bytes were taken. @throws as the operating system says */
  write(data: Uint8Array): Promise<number>
  close(): Promise<void>
}
