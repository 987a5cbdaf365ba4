import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'

/** What one state may hold; of a device of the largest cluster it is a part. docs/security.md lists them. */
export const STATE_LIMITS = {
  models: 1024,
  blocks: 8192,
  times: 32_768,
  links: 4096,
  sources: 1024,
  setAside: 1024,
  goneModels: 1024,
  farewells: 64
} as const

/** Of a name, and of an id. */
export const MOST_CHARACTERS = 200

/** Of devices that there are: a number beyond them makes plans and prices of all others' meaningless. SI units; times for speed 1. */
const RANGES = {
  speed: [1e-9, 1e4],
  'rate of a link': [1e-3, 1e13],
  'latency of a link': [0, 3600],
  'time of a block': [0, 1e6]
} as const

/** @returns why a state of another device is not heard, in words; undefined where it may be */
export const stateFault = (state: DeviceState): string | undefined => {
  const { name, models, links, sources, setAside, goneModels, farewells } = state
  const counts = {
    ...{ models: models.length, links: links.length, sources: sources.length },
    ...{ setAside: setAside.length, goneModels: goneModels.length, farewells: farewells.length },
    blocks: sum(models.map(({ blocks }) => blocks.length)),
    times: sum(models.map(({ times }) => times.length))
  }
  for (const [what, count] of Object.entries(counts)) {
    const most = STATE_LIMITS[what as keyof typeof counts]
    if (count > most) return `it has ${count} ${what}, at most ${most} are allowed`
  }
  const texts = [
    ...[name, state.elects, state.follows, ...goneModels],
    ...models.flatMap(one => [one.name, one.model]),
    ...sources.flatMap(one => [one.model, one.modelId]),
    ...links.flatMap(one => [one.to, one.medium]),
    ...farewells.map(one => one.model),
    ...setAside.flatMap(one => [one.device, one.model])
  ]
  const isLong = texts.some(text => text.length > MOST_CHARACTERS)
  return isLong ? `a name or an id in it has more than ${MOST_CHARACTERS} characters` : numbersFault(state)
}

const numbersFault = ({ speed, models, links }: DeviceState): string | undefined => {
  const said: Readonly<Record<keyof typeof RANGES, readonly number[]>> = {
    speed: speed === 0 ? [] : [speed], // it does not say
    'rate of a link': links.map(({ rate }) => rate),
    'latency of a link': links.map(({ latency }) => latency),
    'time of a block': models.flatMap(({ blocks, times }) => [...blocks.map(({ seconds }) => seconds), ...times])
  }
  for (const [what, [least, most]] of Object.entries(RANGES)) {
    const odd = said[what as keyof typeof RANGES].find(value => !(value >= least && value <= most))
    if (odd !== undefined) return `it has a ${what} of ${odd}, ${least} to ${most} is allowed`
  }
  return undefined
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
