import { mebibytes, type Seconds, seconds } from '../../../core/units.ts'
import type { DemoDevice } from '../demo-cluster.ts'

/** Two weak devices with cameras and a stronger one: 16 frames a second in all. */
export const LIVE_DEVICES: readonly DemoDevice[] = [
  { name: 'porch', speed: 0.1, memory: mebibytes(6), link: { rate: '50Mbps', latency: '4ms' }, source: true },
  { name: 'door', speed: 0.1, memory: mebibytes(16), link: { rate: '80Mbps', latency: '3ms' }, source: true },
  { name: 'shed', speed: 0.3, memory: mebibytes(24), link: { rate: '100Mbps', latency: '2ms' }, source: false }
]

export const LIVE_CAMERAS: readonly string[] = LIVE_DEVICES.filter(({ source }) => source).map(({ name }) => name)

/** Frames a second of each camera: 24 in all, which is half as much again as the devices can read. */
export const FRAME_RATE = 12
/** Each camera shows so many different lines, again and again. */
export const CYCLE = 36
/** Frames of a camera under way. One more waits, and the newest takes its place. */
export const WINDOW = 4
/**
 * When its result is there, a frame is no older than this, but for one in twenty: those that a killed device had, and whoever waits for
 * them.
 */
export const AGE_BOUND: Seconds = seconds(2.5)
