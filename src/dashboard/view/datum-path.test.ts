import { expect, test } from 'vitest'
import type { ClusterStep } from '../../runtime/device/steps/cluster-steps.ts'
import { datumPath } from './datum-path.ts'
import { stepsTrace } from './steps-trace.ts'

const of = { source: 'cam@porch', datum: 7 }
const STEPS: readonly ClusterStep[] = [
  { ...of, device: 'p', did: 'admitted', available: 10, at: 10.5 },
  { ...of, device: 'p', did: 'ran', model: 'm', block: 0, ready: 10.5, start: 11, end: 12 },
  { ...of, device: 'p', did: 'sent', to: 'shed', activation: 1, bytes: 800, ready: 12, start: 12, end: 14 },
  { ...of, device: 's', did: 'ran', model: 'm', block: 1, ready: 14, start: 14, end: 17 },
  { ...of, device: 's', did: 'sent', to: 'porch', activation: 2, bytes: 80, ready: 17, start: 17, end: 17.5 },
  { ...of, device: 'p', did: 'ended', outcome: 'result', available: 10, at: 18 }
]
const nameOf = (id: string): string => ({ p: 'porch', s: 'shed' })[id] ?? id

test('the way of a datum: where it waited, was computed and travelled, and for how long', () => {
  const path = datumPath([...STEPS].reverse(), nameOf)
  expect(path).toMatchObject({ begun: 10, ended: 18, outcome: 'result' })
  expect(path.sums).toEqual({ waited: 1, computed: 4, travelled: 2.5 })
  expect(path.parts.map(({ did, where, start, end }) => `${did} ${where} ${start}-${end}`)).toEqual([
    'waited the window of cam@porch 10-10.5',
    'waited porch 10.5-11',
    'computed porch 11-12',
    'travelled porch → shed 12-14',
    'computed shed 14-17',
    'travelled shed → porch 17-17.5'
  ])
})

test('of one that is under way what is known is told', () => {
  expect(datumPath(STEPS.slice(1, 2), nameOf)).toMatchObject({
    outcome: 'under way',
    begun: undefined,
    ended: undefined
  })
  expect(datumPath([{ ...of, device: 'p', did: 'ended', outcome: 'failed', at: 3 }], nameOf)).toMatchObject({
    outcome: 'failed',
    ended: 3,
    parts: []
  })
})

test('Perfetto is given a row for each device, link and source, from 0 on', () => {
  const { traceEvents } = stepsTrace(STEPS, nameOf)
  const rows = traceEvents.filter(({ name }) => name === 'thread_name').map(({ args }) => args['name'])
  expect(rows).toEqual(['porch', 'shed', 'porch → shed', 'shed → porch', 'cam at porch'])
  expect(traceEvents.find(({ name }) => name === 'cam@porch 7: m 1')).toMatchObject({ ph: 'X', ts: 4e6, dur: 3e6 })
  expect(traceEvents.filter(({ cat }) => cat === 'datum').map(({ ph, ts }) => [ph, ts])).toEqual([
    ['b', 0],
    ['e', 8e6]
  ])
  expect(stepsTrace([], nameOf).traceEvents).toEqual([])
})
