import { expect, test } from 'vitest'
import type { ClusterStep, ClusterSteps } from '../../runtime/device/steps/cluster-steps.ts'
import { chosenSteps } from './chosen-steps.ts'
import { datumPath } from './datum-path.ts'
import { describePath } from './describe-path.ts'

const of = { source: 'cam@porch', datum: 7 }
const device = (id: string, name: string, within: number) => ({ id, name, within, missed: 0, because: '' })
const devices = [device('p', 'porch', 0), device('s', 'shed', 0.0004), device('a', 'attic', 0.9)]

/** Half a second at the window, block 0 at home, block 1 in the shed, and home again. */
const steps: ClusterStep[] = [
  { device: 'p', did: 'admitted', ...of, available: 9.5, at: 10 },
  { device: 'p', did: 'ran', ...of, model: 'ocr', block: 0, ready: 10, start: 10.01, end: 10.03 },
  {
    device: 'p',
    did: 'sent',
    ...of,
    to: 'shed',
    activation: 1,
    bytes: 600_000,
    ready: 10.03,
    start: 10.03,
    end: 10.05
  },
  { device: 's', did: 'ran', ...of, model: 'ocr', block: 1, ready: 10.06, start: 10.06, end: 10.09 },
  { device: 's', did: 'sent', ...of, to: 'porch', activation: 2, bytes: 900, ready: 10.09, start: 10.09, end: 10.091 },
  { device: 'p', did: 'ended', outcome: 'result', ...of, available: 9.5, at: 10.1 }
]
const told: ClusterSteps = { now: 20, devices, steps }

test('a datum’s way is told from its beginning, with what lay between a link’s end and its arrival', () => {
  const path = datumPath(told, steps)
  expect(path).toMatchObject({ home: 'porch', outcome: 'result', within: 0.0004 })
  expect(path.took).toBeCloseTo(0.6, 9)
  expect(path.parts.map(({ kind, device, what }) => `${device} ${kind} ${what}`)).toEqual([
    'porch waited for the window',
    'porch waited for block 0',
    'porch computed block 0 of ocr',
    'porch travelled to shed',
    'shed computed block 1 of ocr',
    'shed travelled to porch'
  ])
  const [, , , there, , back] = path.parts
  expect([there!.to - there!.from, back!.to - back!.from].map(time => Number(time.toFixed(6)))).toEqual([0.03, 0.01])
})

test('in words it fits 80 columns, and its parts add up to the whole', () => {
  const text = describePath(datumPath(told, steps))
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  expect(text).toContain('datum 7 of cam@porch: result after 600 ms on porch')
  expect(text).toContain('waited 510 ms (85 %) ·, computed 50.0 ms (8 %) █, travelled 40.0 ms (7 %) ━')
  expect(text).toMatch(/ {3}█{5} +porch {2}computed block 0 of ocr/)
})

test('the last that has ended is chosen, of several sources too; another by its number; of none it is said', () => {
  const other: ClusterStep = { device: 'a', did: 'admitted', source: 'cam@attic', datum: 9, available: 12, at: 12 }
  const all = { ...told, steps: [...steps, other] }
  expect(chosenSteps(all, 'cam', undefined)).toEqual(steps)
  expect(chosenSteps(all, 'cam', 9)).toEqual([other])
  expect(datumPath(all, [other])).toMatchObject({ outcome: 'under way', took: undefined, home: 'attic' })
  const silent = [{ ...devices[0]!, because: 'did not answer' }]
  expect(() => chosenSteps({ ...told, devices: silent }, 'cam', 8)).toThrow(
    /nothing is remembered of datum 8 of source cam: .*; porch: did not answer/
  )
})

test('where clocks are so far apart that a block would run before the one before it, their order is kept', () => {
  const early = steps.map(step =>
    step.device === 's' && step.did === 'ran'
      ? { ...step, ready: step.ready - 0.2, start: step.start - 0.2, end: step.end - 0.2 }
      : step.device === 's' && step.did === 'sent'
        ? { ...step, ready: step.ready - 0.2, start: step.start - 0.2, end: step.end - 0.2 }
        : step
  )
  const { parts, took } = datumPath(told, early)
  expect(parts.map(({ device, kind }) => `${device} ${kind}`)).toEqual([
    ...['porch waited', 'porch waited', 'porch computed', 'porch travelled', 'shed computed', 'shed travelled']
  ])
  expect(took).toBeCloseTo(0.6, 9)
  expect(parts.at(-1)!.to).toBeLessThanOrEqual(0.6 + 1e-9)
})
