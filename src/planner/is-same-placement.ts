import type { Placement } from './placement.ts'

/** Whether both have the same blocks on the same devices. */
export const isSamePlacement = (one: Placement, other: Placement): boolean => textOf(one) === textOf(other)

const textOf = (placement: Placement): string =>
  [...placement]
    .flatMap(([device, models]) => [...models].flatMap(([model, blocks]) => blocks.map(k => `${device} ${model} ${k}`)))
    .sort()
    .join('\n')
