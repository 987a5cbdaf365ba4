import { expect, test } from 'vitest'
import { clusterStatusSchema } from '../../runtime/device/device-status.ts'
import { ownFindings } from './own-findings.ts'

const found = (source: object): string[] => {
  const status = clusterStatusSchema.parse({
    ...{ answeredBy: 'porch', planner: 'porch', devices: [] },
    sources: [
      {
        ...{ name: 'gate', device: 'porch', model: 'ocr', state: 'running', available: 9, admitted: 9, completed: 8 },
        ...{ inFlight: 0, lost: 0, duplicates: 0, resent: 0, rate: 8.25 },
        inferenceTime: { mean: 0.41, p50: 0.4, p95: null, p99: null },
        ...source
      }
    ],
    placement: { epoch: 3, ready: true, models: {}, unplaced: [] },
    losses: { lost: 0, duplicates: 0, resent: 0, failed: 0, dropped: 0, devicesLost: 0 }
  })
  return ownFindings(status).flatMap(({ state, found }) => (state === 'ok' ? [] : [`${state}: ${found}`]))
}

test('a request that was cancelled or late is a note, a datum that was dropped or a request that failed is to be looked at', () => {
  expect(found({ isAsked: true, dropped: 1 })).toEqual(['note: source gate: 1 not begun in time, or not waited for'])
  expect(found({ dropped: 1 })).toEqual(['todo: source gate: 1 dropped; the sink says why'])
  expect(found({ isAsked: true, failed: 1 })).toEqual(['todo: source gate: 1 failed; whoever asked was told why'])
  expect(found({ isAsked: true })).toEqual([])
})
