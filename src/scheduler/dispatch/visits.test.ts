import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { smallWorld } from '../../testing/small-world.ts'
import { POLICIES, type PolicyName } from '../policies.ts'
import { Dispatcher } from './dispatcher.ts'
import type { RunOutcome } from './lane-queue.ts'
import type { LiveTask } from './live-task.ts'

/** Of each block, at speed 1. No sum of them is the instant at which anything comes. */
const WORK = [0.011, 0.017, 0.007, 0.013]

interface Comer {
  readonly at: number
  readonly age: number
  readonly weight: number
  readonly deadline: number | undefined
}

type Happening = { readonly at: number; readonly lost: number }

interface Lived {
  readonly happening?: Happening
  readonly fails?: (datum: number, block: number) => boolean
  /** As LiveTask. */
  readonly until?: number
}

/** A device alone: when each block began and each datum was done, and in how many visits. */
const lived = async (
  visits: boolean,
  policy: PolicyName,
  comers: readonly Comer[],
  { happening, fails, until }: Lived = {}
) => {
  const clock = createManualClock()
  const world = smallWorld({ speeds: [1], work: WORK, activations: [1, 1, 1, 1, 1] })
  const log: string[] = []
  const say = (text: string): void => void log.push(`${clock.now().toFixed(4)} ${text}`)
  const learnt: string[] = []
  let given = 0
  const dispatcher = new Dispatcher<LiveTask>(POLICIES[policy], {
    ...{ now: () => clock.now(), world, self: 0, bytes: () => 1, visits },
    run: (task, finished, { blocks, halt }) => {
      given++
      const go = async (): Promise<RunOutcome[]> => {
        const outcomes: RunOutcome[] = []
        for (let k = 0; k < blocks && (k === 0 || !halt.isAsked); k++) {
          const block = task.done + k
          say(`start ${task.datum}/${block}`)
          await clock.sleep(seconds(WORK[block]!))
          if (fails?.(task.datum, block) === true) return [...outcomes, { kind: 'failed', because: 'asked for', block }]
          outcomes.push({ kind: 'done', took: seconds(WORK[block]!) })
        }
        return outcomes
      }
      void go().then(outcomes => finished(...outcomes))
    },
    send: () => {},
    deliver: task => say(`deliver ${task.datum}, served ${task.served.toFixed(4)}`),
    failed: (task, because) => say(`fail ${task.datum}/${task.done}: ${because}`),
    ...{ ask: () => {}, giveBack: () => {}, handedOver: () => {} }
  })
  for (const [datum, { at, age, weight, deadline }] of comers.entries()) {
    const availableAt = seconds(at - age)
    const task: LiveTask = {
      ...{ source: `s${weight}@d0`, datum, attempt: 1, model: 0, home: 0, weight, availableAt, done: 0 },
      ...{ arrivedAt: seconds(at), turn: 0, route: [], isBacklogged: false, lag: seconds(0) },
      ...{ served: seconds(0), refusals: 0, ...(deadline === undefined ? {} : { deadline: seconds(deadline) }) },
      ...(until === undefined ? {} : { until })
    }
    void clock.sleep(seconds(at)).then(() => dispatcher.submit(task))
  }
  if (happening !== undefined)
    void clock.sleep(seconds(happening.at)).then(() => {
      world.setCarried(0, 0, happening.lost, false)
      dispatcher.worldChanged()
    })
  await clock.advance(seconds(20))
  for (const k of WORK.keys()) learnt.push(world.blockTime(0, 0, k).toFixed(6))
  return { log, learnt, given, counters: dispatcher.laneCounters() }
}

const comer = (at: number, over: Partial<Comer> = {}): Comer => ({
  at,
  age: 0,
  weight: 1,
  deadline: undefined,
  ...over
})

test('blocks of a datum that is alone run in one visit, and each is counted', async () => {
  const { log, given, counters } = await lived(true, 'confluence', [comer(0)])
  expect(given).toBe(1)
  expect(log).toEqual([
    '0.0000 start 0/0',
    '0.0110 start 0/1',
    '0.0280 start 0/2',
    '0.0350 start 0/3',
    '0.0480 deliver 0, served 0.0480'
  ])
  expect(counters.tasks).toBe(4)
  expect(counters.busy).toBeCloseTo(0.048, 9)
})

test('who waits and is younger is no reason to stop; who comes and goes before has the next block', async () => {
  const { log, given } = await lived(true, 'confluence', [comer(0), comer(0.001), comer(0.02, { age: 1 })])
  expect(given).toBe(4)
  expect(log.map(line => line.split(' ').slice(1, 3).join(' '))).toEqual([
    ...['start 0/0', 'start 0/1'],
    ...['start 2/0', 'start 2/1', 'start 2/2', 'start 2/3', 'deliver 2,'],
    ...['start 0/2', 'start 0/3', 'deliver 0,'],
    ...['start 1/0', 'start 1/1', 'start 1/2', 'start 1/3', 'deliver 1,']
  ])
})

test('a datum that is to come so far, at home, is taken no further', async () => {
  const { log } = await lived(true, 'confluence', [comer(0)], { until: 2 })
  expect(log.at(-1)).toBe('0.0280 deliver 0, served 0.0280')
})

test('one that fails on the way is told with its block, and those before it are counted', async () => {
  const fails = (datum: number, block: number): boolean => datum === 0 && block === 2
  const { log, counters } = await lived(true, 'confluence', [comer(0)], { fails })
  expect(log.at(-1)).toBe('0.0350 fail 0/2: asked for')
  expect(counters.tasks).toBe(2)
})

const comers = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 300 }).map(i => i * 0.001 + 0.000_37),
    age: fc.integer({ min: 0, max: 200 }).map(i => i * 0.001_1),
    weight: fc.constantFrom(1, 1, 1, 3),
    deadline: fc.constantFrom(undefined, undefined, 0.06, 0.15)
  }),
  { minLength: 1, maxLength: 14 }
)
const happenings = fc.option(fc.record({ at: fc.constantFrom(0.0402, 0.1209, 0.2004), lost: fc.nat(3) }), {
  nil: undefined
})

test('whatever comes, the order and the times are those of blocks that are given one at a time', async () => {
  let [together, apart] = [0, 0]
  const property = fc.asyncProperty(
    fc.constantFrom<PolicyName>('confluence', 'pa-mdi', 'local', 'ar-mdi', 'ddi'),
    comers,
    happenings,
    async (policy, all, happening) => {
      const distinct = all.map((one, i) => ({ ...one, at: one.at + i * 1e-5 }))
      const options = happening === undefined ? {} : { happening }
      const visiting = await lived(true, policy, distinct, options)
      const single = await lived(false, policy, distinct, options)
      expect(visiting.log).toEqual(single.log)
      expect(visiting.learnt).toEqual(single.learnt)
      expect(visiting.counters.tasks).toBe(single.counters.tasks)
      together += visiting.given
      apart += single.given
    }
  )
  await fc.assert(property, { numRuns: 150 })
  expect(together).toBeLessThan(0.7 * apart)
})
