/** What the names that a device gives to its models meant when it was last told; survives the device. */
export interface KeptNames {
  /** As it was written; undefined at the first start. */
  readNames(): Promise<unknown>
  /** One call at a time. */
  writeNames(names: unknown): Promise<void>
}
