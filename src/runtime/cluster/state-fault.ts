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
  return isLong ? `a name or an id in it has more than ${MOST_CHARACTERS} characters` : undefined
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
