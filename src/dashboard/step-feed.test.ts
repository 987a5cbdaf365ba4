import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import type { ClusterSteps } from '../runtime/device/steps/cluster-steps.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { StepFeed } from './step-feed.ts'

const setUp = (perPoll = 2) => {
  const clock = createManualClock()
  const asked: unknown[] = []
  const load = { rate: 5 }
  let datum = 0
  const poll = async (wanted: unknown): Promise<ClusterSteps> => {
    asked.push(wanted)
    const of = { did: 'admitted', device: 'a', source: 'cam@a', available: 0, at: 0 } as const
    const steps = Array.from({ length: perPoll }, () => ({ ...of, datum: datum++ }))
    return { now: clock.now(), devices: [], steps }
  }
  const feed = new StepFeed({ watch: { poll }, clock, rate: () => load.rate })
  const told = async (after: number) => {
    const { steps, next } = await feed.after(after)
    return [next, steps.map(step => step.datum)]
  }
  return { clock, feed, asked, load, told }
}

test('devices are asked only when somebody asks, and once for all who do', async () => {
  const { clock, asked, told } = setUp()
  await clock.advance(seconds(60))
  expect(asked).toEqual([])
  expect(await Promise.all([told(0), told(0)])).toEqual([
    [2, [0, 1]],
    [2, [0, 1]]
  ])
  expect(asked).toHaveLength(1)
  await clock.advance(seconds(1))
  expect(await told(2)).toEqual([4, [2, 3]])
  expect(await told(0)).toEqual([4, [0, 1, 2, 3]]) // somebody who came later sees what was before
  expect(asked).toHaveLength(2)
})

test('what is old is forgotten, and what is kept has an end', async () => {
  const { clock, told } = setUp()
  await told(0)
  await clock.advance(seconds(40))
  expect(await told(0)).toEqual([4, [2, 3]])
  const many = setUp(20_000)
  expect((await many.told(0))[1]).toHaveLength(12_000)
})

test('with many data a second some are followed, each of them whole', async () => {
  const { clock, feed, load, asked } = setUp()
  expect((await feed.after(0)).every).toBe(1)
  load.rate = 2000
  await clock.advance(seconds(1))
  expect((await feed.after(0)).every).toBe(34)
  expect(asked).toEqual([{ every: 1 }, { every: 34 }])
})
