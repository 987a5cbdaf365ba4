import type { ClusterStep, ClusterSteps } from '../../runtime/device/steps/cluster-steps.ts'

/**
 * What to add to the instants of each device so that nothing arrives before it was sent: clocks that were compared on a busy
 * machine may be wrong by more than a transfer takes. The least that does it; where all is in order, nothing.
 * @param steps of one datum @returns seconds, by the device's id
 */
export const causalShifts = (
  { devices }: Pick<ClusterSteps, 'devices'>,
  steps: readonly ClusterStep[]
): ReadonlyMap<string, number> => {
  const shifts = new Map(steps.map(({ device }) => [device, 0]))
  const idOf = new Map(devices.map(({ id, name }) => [name, id]))
  const passages = steps.flatMap(step => {
    const receiver = step.did === 'sent' ? idOf.get(step.to) : undefined
    if (step.did !== 'sent' || receiver === undefined) return []
    const arrived = arrivalOf(step.activation, receiver, steps)
    return arrived === undefined ? [] : [{ from: step.device, to: receiver, least: step.start - arrived }]
  })
  // As Bellman and Ford find longest paths; what cannot be put in order, as where a datum was sent twice, is left.
  for (let round = 0; round < shifts.size; round++)
    for (const { from, to, least } of passages) shifts.set(to, Math.max(shifts.get(to)!, shifts.get(from)! + least))
  const home = steps.find(({ did }) => did === 'admitted')?.device
  const zero = home === undefined ? 0 : shifts.get(home)!
  return new Map([...shifts].map(([device, shift]) => [device, shift - zero]))
}

/** The first instant at which the receiver had it. */
const arrivalOf = (activation: number, receiver: string, steps: readonly ClusterStep[]): number | undefined => {
  const had = steps.flatMap(step => {
    if (step.device !== receiver) return []
    if (step.did === 'ran' && step.block === activation) return [step.ready]
    if (step.did === 'sent' && step.activation === activation) return [step.ready]
    return []
  })
  const ended = steps.find(step => step.device === receiver && step.did === 'ended')
  if (had.length > 0) return Math.min(...had)
  return ended?.did === 'ended' ? ended.at : undefined
}
