import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { DeviceGlimpse, RunView } from './run-view.ts'

const INTERVAL: Seconds = seconds(2)

/** For logs and pipes: a line every two seconds. */
export const createLineView = (write: (line: string) => void, clock: Clock): RunView => {
  let policy: string | undefined
  let startedAt = clock.now()
  let lastAt = startedAt
  const totals = new Map<string, number>()
  const done = new Map<string, number>()
  const devices = new Map<string, DeviceGlimpse>()

  const line = (): string => {
    const sources = [...totals].map(([name, images]) => `${name} ${done.get(name) ?? 0}/${images}`)
    const workers = [...devices].map(
      ([name, { busy, queue }]) => `${name} ${(100 * busy).toFixed(0)} % busy, ${queue} queued`
    )
    return `  ${policy} ${(clock.now() - startedAt).toFixed(0)} s: ${[sources.join(', '), ...workers].join('; ')}`
  }
  const maybe = (): void => {
    if (policy === undefined || clock.now() - lastAt < INTERVAL) return
    lastAt = clock.now()
    write(line())
  }
  return {
    say: write,
    begin: (name, sources, names) => {
      policy = name
      startedAt = lastAt = clock.now()
      for (const map of [totals, done, devices]) map.clear()
      for (const source of sources) totals.set(source.name, source.images)
      for (const device of names) devices.set(device, { busy: 0, queue: 0, blocks: '-' })
    },
    source: (name, count) => {
      done.set(name, count)
      maybe()
    },
    device: (name, state) => {
      devices.set(name, state)
      maybe()
    },
    end: () => {
      if (policy !== undefined) write(line())
      policy = undefined
    }
  }
}
