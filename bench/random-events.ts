import type { Rng } from '../src/core/rng.ts'
import type { Scenario, ScenarioEvent } from '../src/core/scenario.ts'
import { bytesPerSecond, seconds } from '../src/core/units.ts'

/** Seconds, of the 15 that a scenario of `randomScenario` lasts. */
const FROM = 3
const TO = 11

/**
 * What changes in mid-run of a random scenario, in order of time: each device with a chance of a third becomes slow (0.1
 * to 0.6 of its speed) or, where it has no source, is killed or stops and is back 2 to 6 seconds later; with a chance of a
 * half a link, or the medium, is cut to 0.05 to 0.3 of its rate. At least one of these.
 */
export const randomEvents = (scenario: Scenario, rng: Rng): readonly ScenarioEvent[] => {
  const between = (low: number, high: number): number => low + (high - low) * rng.next()
  const at = (): ScenarioEvent['at'] => seconds(between(FROM, TO))
  const ofDevice = (device: number): readonly ScenarioEvent[] => {
    if (rng.next() > 1 / 3) return []
    const isWorker = scenario.sources.every(source => source.device !== device)
    if (!isWorker || rng.next() < 0.5)
      return [{ at: at(), kind: 'speed', device, speed: scenario.devices[device]!.speed * between(0.1, 0.6) }]
    const leaves = at()
    return [
      { at: leaves, kind: 'leaves', device, how: rng.next() < 0.7 ? 'kill' : 'stop' },
      { at: seconds(leaves + between(2, 6)), kind: 'joins', device }
    ]
  }
  const ofLink = (): readonly ScenarioEvent[] => {
    if (rng.next() > 1 / 2) return []
    const cut = scenario.links[Math.floor(rng.next() * scenario.links.length)]!
    const links = cut.medium === undefined ? [cut] : scenario.links.filter(({ medium }) => medium === cut.medium)
    return [{ at: at(), kind: 'link', links, rate: bytesPerSecond(cut.rate * between(0.05, 0.3)), latency: undefined }]
  }
  const events = [...[...scenario.devices.keys()].flatMap(ofDevice), ...ofLink()]
  return events.length === 0 ? randomEvents(scenario, rng) : events.sort((a, b) => a.at - b.at)
}
