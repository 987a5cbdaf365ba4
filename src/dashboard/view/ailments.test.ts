import { expect, test } from 'vitest'
import { ailments } from './ailments.ts'

const counters = { refusedPeers: 0, malformedFrames: 0, oversizedFrames: 0, refusedTasks: 0, unproven: 0 }
const device = (rest: object) => ({
  name: 'shed',
  state: 'running',
  because: '',
  troubles: [],
  jobs: [],
  refusedPeers: [],
  counters,
  ...rest
})
const source = (rest: object) => ({
  ...{ name: 'cam', device: 'porch', state: 'running', because: '', deliveries: [], failed: 0, dropped: 0 },
  ...{ droppedBy: {}, unavailable: 0, ...rest }
})
const found = (devices: object[], sources: object[], rest: object = {}) =>
  ailments({
    ...{
      devices,
      sources,
      setAside: [],
      audits: { done: 0, deviations: 0, impossible: 0, setAside: [] },
      placement: { unplaced: [] }
    },
    ...{ differences: [] },
    ...rest
  } as unknown as Parameters<typeof ailments>[0]).map(
    ({ where, what, because, isGrave }) => `${isGrave ? '!' : ' '} ${where}: ${what}: ${because}`
  )

test('of a cluster that is well nothing is said', () => {
  expect(found([device({})], [source({})])).toEqual([])
})

test('that nobody plans is said', () => {
  expect(found([device({})], [], { planner: null })).toEqual([
    '! the cluster: nothing is planned: no device plans: none can, or none was elected yet'
  ])
})

test('who fails at planning is named; a first plan that is under way is no fault', () => {
  const jobs = [{ job: 'making a plan', times: 3, because: 'no solver', lasts: true }]
  expect(found([device({ jobs })], [], { planner: 'shed' })).toContain(
    '! the cluster: nothing is planned: shed fails to plan: no solver'
  )
  const planning = { drift: 0, plans: {}, seconds: 3.2 }
  expect(found([device({ planning })], [], { planner: null })).toEqual([
    '  the cluster: nothing is planned yet: shed has been planning for 3.20 s'
  ])
})

test('what does not work now stands before what is counted', () => {
  const job = { job: 'making a plan', times: 3, because: 'no solver' }
  expect(
    found(
      [
        device({ counters: { ...counters, refusedPeers: 2 }, jobs: [{ ...job, lasts: false }] }),
        device({ name: 'hall', state: 'failed', because: 'no disk', troubles: ['hot'] })
      ],
      [source({ dropped: 4, droppedBy: { deadline: 4 } }), source({ state: 'failed', because: 'no model' })],
      { setAside: [{ device: 'hall', model: 'm', seconds: 30, because: 'it hangs' }] }
    )
  ).toEqual([
    '! hall: has failed: no disk',
    '! hall: is in trouble: hot',
    '! cam of porch: has failed: no model',
    '! hall: does not compute m for 30 s: it hangs',
    '  shed: has failed at making a plan, 3 times: no solver',
    '  shed: 2 devices were refused: the log of shed says why',
    '  cam of porch: 4 data were dropped: 4 since its deadline had passed'
  ])
})

test('who says more than it may is named, and is no alarm', () => {
  const refusedPeers = [{ peer: 'mallory', budget: 'states', times: 9, because: 'more than 200 states at once' }]
  expect(found([device({ refusedPeers })], [])).toEqual([
    '  shed: does not hear all of mallory: more than 200 states at once'
  ])
})

test('who was set aside by an audit is named once, and who says so', () => {
  const one = { device: 'attic', model: 'm', seconds: 300, because: 'two others compute otherwise' }
  const audits = { done: 9, deviations: 1, setAside: [{ ...one, by: 'porch' }] }
  expect(found([device({})], [], { audits })).toEqual([
    '! attic: does not compute m for 300 s: porch says: two others compute otherwise'
  ])
  expect(found([device({})], [], { audits, setAside: [one] })).toHaveLength(1)
})

test('results of devices that were not given the data are counted', () => {
  expect(found([device({ counters: { ...counters, unproven: 1 } })], [])).toEqual([
    '  shed: 1 result was refused: whoever sent them was not given these data'
  ])
})
