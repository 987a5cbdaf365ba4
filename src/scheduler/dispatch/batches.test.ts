import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchCurve } from '../../core/batch-curve.ts'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { smallWorld } from '../../testing/small-world.ts'
import { POLICIES } from '../policies.ts'
import type { CreatePolicy } from '../policy.ts'
import { Dispatcher } from './dispatcher.ts'
import type { LiveTask } from './live-task.ts'

const curve = batchCurve([
  { size: 2, times: 1.2 },
  { size: 4, times: 1.6 }
])!

interface Comer {
  readonly at: number
  readonly isBacklogged: boolean
  /** @default 1 */
  readonly weight?: number
}

interface Happens {
  /** Data that cannot be run with others, told as the driver tells. */
  readonly fails?: (datum: number) => boolean
  /** Batches take so many times what their curve says. */
  readonly slow?: number
  readonly policy?: CreatePolicy
  /** All runs take so many times what they did. */
  readonly slower?: number
  readonly lanes?: number
}

/** A device alone: what ran with what, and what was delivered. */
const lived = async (
  comers: readonly Comer[],
  hasCurve: boolean,
  { fails = () => false, slow = 1, slower = 1, lanes = 1, policy = POLICIES.local }: Happens = {}
) => {
  const clock = createManualClock()
  const world = smallWorld({ speeds: [1], work: [0.1, 0.1], activations: [1, 1, 1] })
  if (hasCurve) world.setBatchCurve(0, 0, 0, curve)
  world.setLanes(0, lanes)
  const runs: string[] = []
  const delivered: number[] = []
  const failed: number[] = []
  let busy = 0
  const run = async (tasks: readonly LiveTask[], takes: number): Promise<void> => {
    runs.push(`${tasks.map(({ datum }) => datum).join('+')}/${tasks[0]!.done}`)
    expect(++busy).toBeLessThanOrEqual(lanes)
    await clock.sleep(seconds(takes))
    busy--
  }
  const dispatcher: Dispatcher<LiveTask> = new Dispatcher<LiveTask>(policy, {
    ...{ now: () => clock.now(), world, self: 0, bytes: () => 1 },
    run: (task, finished) =>
      void run([task], 0.1 * slower).then(() => finished({ kind: 'done', took: seconds(0.1 * slower) })),
    runTogether: (tasks, finished) => {
      const takes = seconds(0.1 * slow * slower * curve.times(tasks.length))
      void run(tasks, takes).then(() =>
        finished(
          tasks.map(({ datum }) =>
            fails(datum)
              ? { kind: 'failed', because: 'asked for' }
              : { kind: 'done', took: takes, together: tasks.length }
          )
        )
      )
    },
    send: () => {},
    deliver: ({ datum }) => void delivered.push(datum),
    failed: ({ datum }) => void failed.push(datum),
    ...{ ask: () => {}, giveBack: () => {}, handedOver: () => {} }
  })
  for (const [datum, { at, isBacklogged, weight = 1 }] of comers.entries()) {
    const task: LiveTask = {
      ...{ source: 's@d0', datum, attempt: 1, model: 0, home: 0, weight, availableAt: seconds(at), done: 0 },
      ...{ arrivedAt: seconds(at), turn: 0, route: [], isBacklogged, lag: seconds(0), served: seconds(0), refusals: 0 }
    }
    void clock.sleep(seconds(at)).then(() => dispatcher.submit(task))
  }
  await clock.advance(seconds(20 * slower))
  return {
    batches: world.batchCurve(0, 0, 0) !== undefined,
    runs,
    delivered,
    failed,
    learnt: world.blockTime(0, 0, 0),
    counters: dispatcher.laneCounters()
  }
}

const together = [0, 0.01, 0.02, 0.03, 0.04].map(at => ({ at, isBacklogged: true }))

test('who waits for the block of the one whose turn it is runs with it, as many as gain', async () => {
  const { runs, delivered, learnt, counters } = await lived(together, true)
  expect(runs.slice(0, 3)).toEqual(['0/0', '0/1', '1+2+3+4/0'])
  expect(delivered.toSorted()).toEqual([0, 1, 2, 3, 4])
  expect(learnt).toBeCloseTo(0.1, 9)
  expect(counters.tasks).toBe(10)
  expect(counters.busy).toBeCloseTo(0.1 + 0.16 + 5 * 0.1, 9)
})

test('who runs with it are those who would be served next: the heavier first, whoever came first', async () => {
  const weights = [1, 1, 1, 1, 3, 3]
  const comers = weights.map((weight, i) => ({ at: i / 100, isBacklogged: true, weight }))
  const { runs } = await lived(comers, true, { policy: POLICIES['pa-mdi'] })
  expect(runs[1]).toBe('4+5+1+2/0')
})

test('one of them that fails does so by itself', async () => {
  const { delivered, failed } = await lived(together, true, { fails: datum => datum === 2 })
  expect(failed).toEqual([2])
  expect(delivered.toSorted()).toEqual([0, 1, 3, 4])
})

test('one slow batch is one slow run, however many are in it', async () => {
  const { runs, learnt } = await lived(together, true, { slow: 4 })
  expect(runs[2]).toBe('1+2+3+4/0')
  expect(learnt).toBeCloseTo(0.1, 9)
})

const many = Array.from({ length: 60 }, () => ({ at: 0, isBacklogged: true }))
const largest = (runs: readonly string[]): number => Math.max(...runs.map(run => run.split('+').length))

test('batches that gain nothing any more, several on end, are given up', async () => {
  const { runs, batches, delivered } = await lived(many, true, { slow: 3 })
  expect(batches).toBe(false)
  expect(runs.filter(run => run.includes('+'))).toHaveLength(3)
  expect(delivered).toHaveLength(many.length)
})

test('where the whole device is slower, they are not', async () => {
  const { runs, batches } = await lived(many, true, { slower: 4 })
  expect(batches).toBe(true)
  expect(largest(runs.slice(-20))).toBe(4)
})

const comers = fc.array(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), isBacklogged: fc.boolean() }), {
  maxLength: 12
})

test('who waits is shared out among lanes that are free', async () => {
  const { runs } = await lived(many.slice(0, 6), true, { lanes: 2 })
  // Both first blocks end at once: the four that wait go to two lanes.
  expect(runs.slice(0, 6)).toEqual(['0/0', '1/0', '0/1', '1/1', '2+3/0', '4+5/0'])
})

test('each datum is served once, its blocks in order, and no more runs at a time than there are lanes', () =>
  fc.assert(
    fc.asyncProperty(comers, fc.constantFrom(1, 2), async (all, lanes) => {
      const { runs, delivered } = await lived(all, true, { lanes })
      expect(delivered.toSorted((a, b) => a - b)).toEqual([...all.keys()])
      const each = runs.flatMap(run => {
        const [data, block] = run.split('/') as [string, string]
        return data.split('+').map(datum => `${datum}/${block}`)
      })
      expect(new Set(each).size).toBe(2 * all.length)
      expect(each).toHaveLength(2 * all.length)
    }),
    { numRuns: 50 }
  ))

test('where nothing gains, the order is the one of single data', () =>
  fc.assert(
    fc.asyncProperty(comers, async all => {
      const { runs } = await lived(all, false)
      expect(runs.every(run => !run.includes('+'))).toBe(true)
    }),
    { numRuns: 20 }
  ))
