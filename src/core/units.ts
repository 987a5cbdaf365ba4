/** A number that remembers its unit. Erased at run time. */
type Unit<Symbol extends string> = number & { readonly __unit: Symbol }

/** A duration, or an instant of some clock. */
export type Seconds = Unit<'s'>
/** A size. */
export type Bytes = Unit<'B'>
/** A rate. */
export type BytesPerSecond = Unit<'B/s'>

/** A number of seconds. */
export const seconds = (n: number): Seconds => n as Seconds
export const milliseconds = (n: number): Seconds => seconds(n / 1000)
/** A number of bytes. */
export const bytes = (n: number): Bytes => n as Bytes
export const mebibytes = (n: number): Bytes => bytes(n * 2 ** 20)
/** A number of bytes per second. */
export const bytesPerSecond = (n: number): BytesPerSecond => n as BytesPerSecond
/** Link speeds are sold in decimal megabits; everything inside is bytes. */
export const megabitsPerSecond = (n: number): BytesPerSecond => bytesPerSecond((n * 1e6) / 8)

/** Time on the wire, without propagation delay. */
export const transferTime = (size: Bytes, rate: BytesPerSecond): Seconds => seconds(size / rate)
