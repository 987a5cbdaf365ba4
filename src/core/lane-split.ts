/** How a device's processor is shared out: so many lanes, each of which runs a block on so many threads. */
export interface LaneSplit {
  readonly lanes: number
  readonly threads: number
}
