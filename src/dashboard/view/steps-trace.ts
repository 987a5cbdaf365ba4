import { type ChromeTrace, chromeTrace } from '../../report/chrome-trace.ts'
import type { ClusterStep } from '../../runtime/device/steps/cluster-steps.ts'
import { datumPath } from './datum-path.ts'
import { stepsByDatum } from './steps-by-datum.ts'

/** For Perfetto: what all devices did, from 0 s on. @param nameOf a device, by its id */
export const stepsTrace = (steps: readonly ClusterStep[], nameOf: (id: string) => string): ChromeTrace => {
  const begins = steps.map(step => ('start' in step ? step.start : 'available' in step ? step.available : step.at))
  const zero = begins.reduce((least, begin) => Math.min(least, begin), Number.POSITIVE_INFINITY)
  const policy = 'cluster'
  const of = ({ source, datum }: ClusterStep) => ({ policy, source, datum })
  const span = ({ start, end }: { readonly start: number; readonly end: number }) => ({
    start: start - zero,
    end: end - zero
  })
  const data = [...stepsByDatum(steps).values()].map(own => datumPath(own, nameOf))
  return chromeTrace({
    tasks: steps.flatMap(step =>
      step.did === 'ran'
        ? [{ ...of(step), ...span(step), device: nameOf(step.device), model: step.model, block: step.block }]
        : []
    ),
    transfers: steps.flatMap(step =>
      step.did === 'sent'
        ? [
            {
              ...{ ...of(step), ...span(step), from: nameOf(step.device), to: step.to },
              ...{ activation: step.activation, bytes: step.bytes }
            }
          ]
        : []
    ),
    data: data.flatMap(({ source, datum, begun, ended }) => {
      if (begun === undefined) return []
      const [name = source, device = ''] = source.split('@')
      const end = ended === undefined ? {} : { end: ended - zero }
      return [{ policy, source: name, device, datum, start: begun - zero, ...end }]
    })
  })
}
