import { type Bytes, mebibytes } from '../../core/units.ts'

/** One emulated device of the demo: a process of its own with less speed, memory and bandwidth than this machine. */
export interface DemoDevice {
  readonly name: string
  /** Relative to this machine's one core. */
  readonly speed: number
  /** For blocks. */
  readonly memory: Bytes
  /** Of every link that leaves it. */
  readonly link: { readonly rate: `${number}Mbps`; readonly latency: `${number}ms` }
  /** Images are born here. */
  readonly source: boolean
}

/**
 * A small house: two weak devices with cameras, two stronger ones without. The speeds add up to 0.8: the whole network
 * shares this machine's (at least two) cores, and they are also needed to send, receive and prepare images. The porch is
 * too small for the model of 10.8 MB.
 */
export const DEMO_DEVICES: readonly DemoDevice[] = [
  { name: 'porch', speed: 0.1, memory: mebibytes(6), link: { rate: '50Mbps', latency: '4ms' }, source: true },
  { name: 'door', speed: 0.1, memory: mebibytes(16), link: { rate: '80Mbps', latency: '3ms' }, source: true },
  { name: 'shed', speed: 0.3, memory: mebibytes(24), link: { rate: '100Mbps', latency: '2ms' }, source: false },
  { name: 'attic', speed: 0.3, memory: mebibytes(24), link: { rate: '100Mbps', latency: '3ms' }, source: false }
]

export const DEMO_SOURCES: readonly string[] = DEMO_DEVICES.filter(device => device.source).map(device => device.name)

/** The policies in the order in which the demo runs them: each one adds something to the one before. */
export const DEMO_POLICIES = ['local', 'ddi', 'ms-mdi', 'confluence'] as const

export type DemoPolicy = (typeof DEMO_POLICIES)[number]
