/** What a device has had to do lately. */
export interface LaneLoad {
  /** Of the time of all its lanes together, what was used. */
  readonly used: number
  /** There is room for so many copies of what it carries. */
  readonly mostLanes: number
}
