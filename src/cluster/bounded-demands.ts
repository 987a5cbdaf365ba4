import type { StatedDevice } from './stated-device.ts'

/** Against the demand of all other devices, that of one is at most so much: a plan for one alone leaves the others no room. */
const MOST_OF_OTHERS = 100

/** A device may say that its sources ask for a billion data a second. Where it alone has sources, that is of no matter. */
export const boundedDemands = (devices: readonly StatedDevice[]): readonly StatedDevice[] => {
  const all = devices.reduce((sum, device) => sum + demandOf(device), 0)
  return devices.map(device => {
    const own = demandOf(device)
    const most = MOST_OF_OTHERS * (all - own)
    if (own <= most || most === 0) return device
    const sources = device.sources.map(source => ({ ...source, demand: (source.demand * most) / own }))
    return { ...device, sources }
  })
}

const demandOf = ({ sources }: StatedDevice): number => sources.reduce((sum, { demand }) => sum + demand, 0)
