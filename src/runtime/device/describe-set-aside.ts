import type { Seconds } from '../../core/units.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { SetAside } from '../cluster/distrust.ts'

/** For the log: who gets no data of which model, for how long, and why. Of whom one may want to remove with its id: any may call itself so. */
export const describeSetAside = (
  { device, model, until, because, isAudited }: SetAside,
  view: ClusterView,
  now: Seconds
): string =>
  `${view.nameOf(device)}${isAudited === true ? ` (${device})` : ''} is set aside for ${Math.ceil(until - now)} s: it ` +
  (isAudited === true
    ? `computes ${view.labelOf(model)} otherwise than others (${because})`
    : `fails at what others compute of ${view.labelOf(model)} (${because})`)
