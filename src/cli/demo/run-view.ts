/** What a run shows while it goes on. */
export interface RunView {
  /** Between runs and during them: one line for people. */
  say(text: string): void
  /** A run begins: a line or bar for each of these. */
  begin(
    policy: string,
    sources: readonly { readonly name: string; readonly images: number }[],
    devices: readonly string[]
  ): void
  source(name: string, done: number, rate: number): void
  device(name: string, state: DeviceGlimpse): void
  end(): void
}

export interface DeviceGlimpse {
  /** Share of the time in which it computes, 0 to 1. */
  readonly busy: number
  readonly queue: number
  /** Block numbers, as ranges. */
  readonly blocks: string
}
