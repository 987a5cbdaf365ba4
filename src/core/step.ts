/** Go to `device` and leave it when `until` blocks are done; `until` = blocks done on arrival only passes through. */
export interface Step {
  readonly device: number
  readonly until: number
}
