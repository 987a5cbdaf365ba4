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

/** What was found of a state: it is asked where it comes in, and where it is heard. */
const FOUND = new WeakMap<DeviceState, string>()

/** @returns why a state of another device is not heard, in words; undefined where it may be */
export const stateFault = (state: DeviceState): string | undefined => {
  const found = FOUND.get(state) ?? countsFault(state) ?? textsFault(state) ?? numbersFault(state) ?? ''
  FOUND.set(state, found)
  return found === '' ? undefined : found
}

const countsFault = ({ models, links, sources, setAside, goneModels, farewells }: DeviceState): string | undefined => {
  const counts = {
    ...{ models: models.length, links: links.length, sources: sources.length },
    ...{ setAside: setAside.length, goneModels: goneModels.length, farewells: farewells.length },
    blocks: models.reduce((sum, { blocks }) => sum + blocks.length, 0),
    times: models.reduce((sum, { times }) => sum + times.length, 0)
  }
  for (const [what, count] of Object.entries(counts)) {
    const most = STATE_LIMITS[what as keyof typeof counts]
    if (count > most) return `it has ${count} ${what}, at most ${most} are allowed`
  }
  return undefined
}

const textsFault = (state: DeviceState): string | undefined => {
  const { name, elects, follows, goneModels, models, sources, links, farewells, setAside } = state
  const isLong =
    areLong(name, elects, follows, ...goneModels) ||
    models.some(one => areLong(one.name, one.model)) ||
    sources.some(one => areLong(one.model, one.modelId)) ||
    links.some(one => areLong(one.to, one.medium)) ||
    farewells.some(one => areLong(one.model)) ||
    setAside.some(one => areLong(one.device, one.model))
  return isLong ? `a name or an id in it has more than ${MOST_CHARACTERS} characters` : undefined
}

const areLong = (...texts: readonly string[]): boolean => texts.some(text => text.length > MOST_CHARACTERS)

const numbersFault = ({ speed, models, links }: DeviceState): string | undefined => {
  // One that does not say its speed says 0.
  let fault = speed === 0 ? undefined : oddNumber('speed', speed)
  for (const { rate, latency } of links)
    fault ??= oddNumber('rate of a link', rate) ?? oddNumber('latency of a link', latency)
  for (const { blocks, times } of models) {
    for (const { seconds } of blocks) fault ??= oddNumber('time of a block', seconds)
    for (const time of times) fault ??= oddNumber('time of a block', time)
  }
  return fault
}

const oddNumber = (what: keyof typeof RANGES, value: number): string | undefined => {
  const [least, most] = RANGES[what]
  return value >= least && value <= most ? undefined : `it has a ${what} of ${value}, ${least} to ${most} is allowed`
}
