import { calibrateApart } from '../../runtime/engine/calibrate-apart.ts'
import type { NodeOptions } from './node-options.ts'

/**
 * Has this machine's speed measured from now on, in a process of its own, which takes about as long as to load the rest of a device.
 * @returns the calibration model's least time, in milliseconds; undefined where nobody will ask. Disposed: it is ended
 */
export const measureAhead = ({
  controlled,
  threads
}: Pick<NodeOptions, 'controlled' | 'threads'>): Disposable & { readonly least: Promise<number> | undefined } => {
  const over = new AbortController()
  const least = controlled ? undefined : calibrateApart(threads === 'auto' ? 1 : threads, over.signal)
  least?.catch(() => {}) // whoever asks for it hears of it
  return { least, [Symbol.dispose]: () => over.abort() }
}
