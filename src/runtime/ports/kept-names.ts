/** What the names that a device gives to its models meant when it was last told; survives the device. */
export interface KeptNames {
  /** As it was written, whatever its writer has done with it since; undefined at the first start. @throws where it cannot be read */
  readNames(): Promise<unknown>
  /** In place of what was written before: a crash leaves that or this. One call at a time. */
  writeNames(names: unknown): Promise<void>
}
