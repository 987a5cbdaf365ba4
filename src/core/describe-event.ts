import { formatSeconds } from './format-quantity.ts'
import type { ScenarioDevice, ScenarioEvent } from './scenario.ts'

/** What an event changes, in a few words: for figures and traces. */
export const describeEvent = (event: ScenarioEvent, devices: readonly Pick<ScenarioDevice, 'name'>[]): string => {
  const name = (device: number): string => devices[device]!.name
  switch (event.kind) {
    case 'speed':
      return `${name(event.device)}: speed ${event.speed}`
    case 'joins':
      return `${name(event.device)} joins`
    case 'leaves':
      return `${name(event.device)} ${event.how === 'kill' ? 'is killed' : 'stops'}`
    case 'link': {
      const { links, rate, latency } = event
      const [first] = links
      const what = links.length === 1 ? `${name(first!.from)} → ${name(first!.to)}` : `${links.length} links`
      const news = [
        ...(rate === undefined ? [] : [`${Number(((8 * rate) / 1e6).toPrecision(3))} Mbit/s`]),
        ...(latency === undefined ? [] : [formatSeconds(latency)])
      ]
      return `${what}: ${news.join(', ')}`
    }
  }
}
