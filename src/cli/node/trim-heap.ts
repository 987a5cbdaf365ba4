import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Starting up leaves tens of megabytes of garbage that an idle process would keep for long: collect it once. */
export const trimHeap = (): void => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: { readonly type: 'major' }) => void
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major' })
  collect({ type: 'major' })
}
