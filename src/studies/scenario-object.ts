/** Text with a unit, or a number: of seconds, bytes, bits per second, data per second. */
type Quantity = string | number

/** A link's shape: "20Mbps", "5ms". */
export interface LinkObject {
  readonly bandwidth?: Quantity
  readonly latency?: Quantity
}

interface ModelObject {
  /** By device: what each block takes there, text with a unit, or milliseconds, as such lists are published. */
  readonly times?: Readonly<Record<string, readonly Quantity[]>>
  /** By device or group: by number of data, what they take at once: in times of one, or as text with a unit. */
  readonly batch?: Readonly<Record<string, Readonly<Record<number, number | string>>>>
  /** The first block runs on the device of the datum's source. */
  readonly pinned?: 'source'
}

/** A model that is measured on this machine. */
export interface FileModelObject extends ModelObject {
  readonly file: string
  readonly shape?: string | readonly string[]
  readonly maxBlocks?: number
}

/** A model that is made of times and sizes: K blocks, K + 1 activations. */
export interface SyntheticModelObject extends ModelObject {
  readonly blocks?: readonly { readonly work?: Quantity; readonly weights?: Quantity }[]
  readonly activations: readonly Quantity[]
}

/** Where data are born in a scenario, and how they come. */
export interface SourceObject {
  /** Unique in the scenario. */
  readonly name: string
  /** The name of the device that it belongs to. */
  readonly device: string
  /** The name of the model that computes its data. */
  readonly model: string
  /** @default saturated */
  readonly arrivals?: 'saturated' | { readonly poisson: Quantity } | { readonly every: Quantity }
  /** @default 100 */
  readonly count?: number
  /** @default 16 */
  readonly window?: number | 'auto'
  readonly weight?: number
  readonly start?: Quantity
  /** From when a datum is there; one that has not begun by then is dropped. */
  readonly deadline?: Quantity
  /** What becomes of one that is under way at its deadline. @default finish */
  readonly late?: 'finish' | 'cancel'
  /** Who goes when more than `queue` wait; none: whoever makes the data waits. @default none */
  readonly drop?: 'oldest' | 'newest' | 'none'
  /** @default 1 */
  readonly queue?: number
  /** At most so many begin in a second. */
  readonly rate?: Quantity
}

/** A change in mid-run. */
export type EventObject = { readonly at: Quantity } & (
  | { readonly device: string; readonly speed: number }
  | { readonly device: string; readonly leaves: 'kill' | 'stop' }
  | { readonly device: string; readonly joins: true }
  | (LinkObject & { readonly link: string })
  | (LinkObject & { readonly medium: string })
)

/** A network and its load, as a scenario file has it: docs/simulation.md. Quantities are text with a unit, or numbers. */
export interface ScenarioObject {
  readonly name?: string
  readonly devices: Readonly<
    Record<
      string,
      {
        readonly speed?: number
        readonly memory?: Quantity
        /** So many data it computes at once. @default 1 */
        readonly lanes?: number
        readonly group?: string
      } | null
    >
  >
  readonly links?: {
    /** full, ring, chain, star:NAME or none. */
    readonly topology?: string
    readonly default?: LinkObject
    readonly pairs?: readonly (LinkObject & { readonly from: string; readonly to: string; readonly both?: boolean })[]
    readonly media?: readonly (LinkObject & { readonly name: string; readonly devices: readonly string[] })[]
  }
  readonly models: Readonly<Record<string, FileModelObject | SyntheticModelObject>>
  readonly sources: readonly SourceObject[]
  /** @default confluence */
  readonly policy?: string
  readonly events?: readonly EventObject[]
}
