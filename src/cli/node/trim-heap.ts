import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Old objects may take so much more than what lives before V8 looks for garbage among them. Its own measure, twice as much
 * and more, is for programs that may have the machine; a device lives for weeks beside others, and collecting its 40 MB
 * a little more often costs some 50 ms every few minutes.
 */
const GROWING_PERCENT = 25
/**
 * Bodies of requests count as what was allocated until they are collected. At a quarter of 30 MB, twelve requests of 600 KB
 * made V8 look through all that lives.
 */
const GROWING_PERCENT_SERVING = 150

/**
 * Starting up leaves tens of megabytes of garbage that an idle process would keep for long: collect it once, and keep the
 * heap close to what lives from then on.
 */
export const trimHeap = ({ serves }: { readonly serves: boolean }): void => {
  setFlagsFromString(`--heap-growing-percent=${serves ? GROWING_PERCENT_SERVING : GROWING_PERCENT}`)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: { readonly type: 'major' }) => void
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major' })
  collect({ type: 'major' })
}
