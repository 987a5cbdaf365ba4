import type { Scenario } from './scenario.ts'

/**
 * The network as it is at the start: without devices that join later, unless a source is on them, and without events.
 * @returns the scenario itself where it is like that already
 */
export const scenarioAtStart = (scenario: Scenario): Scenario => {
  const { devices, links, sources, events } = scenario
  if (events.length === 0) return scenario
  const first = new Map<number, 'leaves' | 'joins'>()
  for (const event of events)
    if ((event.kind === 'leaves' || event.kind === 'joins') && !first.has(event.device))
      first.set(event.device, event.kind)
  const isThere = (n: number): boolean => first.get(n) !== 'joins' || sources.some(({ device }) => device === n)
  const kept = [...devices.keys()].filter(isThere)
  const number = new Map(kept.map((n, i) => [n, i]))
  return {
    ...scenario,
    devices: kept.map(n => devices[n]!),
    links: links
      .filter(({ from, to }) => isThere(from) && isThere(to))
      .map(link => ({ ...link, from: number.get(link.from)!, to: number.get(link.to)! })),
    sources: sources.map(source => ({ ...source, device: number.get(source.device)! })),
    events: []
  }
}
