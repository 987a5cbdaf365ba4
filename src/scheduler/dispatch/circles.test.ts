import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { smallWorld } from '../../testing/small-world.ts'
import { POLICIES, type PolicyName } from '../policies.ts'
import { Dispatcher } from './dispatcher.ts'
import type { LiveTask } from './live-task.ts'

const [HOME, ONE, OTHER] = [0, 1, 2]
const ACTIVATIONS = [1000, 1000]

const datum = (done: number): LiveTask => ({
  ...{ source: 'cam@d0', datum: 0, attempt: 1, model: 0, home: HOME, weight: 1, done, turn: 0, refusals: 0, route: [] },
  ...{ availableAt: seconds(0), arrivedAt: seconds(0), isBacklogged: false, lag: seconds(0), served: seconds(0) }
})

/** Two devices on one clock, each with what it believes; a frame takes a millisecond. */
const two = (policy: PolicyName, believed: readonly [World, World]) => {
  const clock = createManualClock()
  const sent: string[] = []
  const delivered: number[] = []
  const dispatchers = believed.map(
    (world, i) =>
      new Dispatcher<LiveTask>(POLICIES[policy], {
        ...{ now: () => clock.now(), world, self: ONE + i, bytes: () => 1000 },
        run: (_, finished) =>
          void clock.sleep(seconds(0.01)).then(() => finished({ kind: 'done', took: seconds(0.01) })),
        send: (task, to, outcome) => {
          sent.push(`${ONE + i} to ${to}`)
          void clock.sleep(seconds(0.001)).then(() => {
            outcome.written()
            outcome.accepted()
            if (to === HOME) delivered.push(task.done)
            else dispatchers[to - ONE]!.arrive({ ...task, turn: 0 }, ONE + i)
          })
        },
        deliver: () => {},
        failed: () => {},
        ask: (_, __, granted) => queueMicrotask(granted),
        giveBack: () => {},
        handedOver: () => {}
      })
  )
  return {
    ...{ sent, delivered, dispatchers },
    /** As a device does, it is looked ten times a second after what waits. */
    pass: async (time: number): Promise<void> => {
      for (let t = 0; t < time; t += 0.1) {
        await clock.advance(seconds(0.1))
        for (const dispatcher of dispatchers) dispatcher.worldChanged()
      }
    }
  }
}

const world = (carried: readonly (readonly number[])[], home: number): World =>
  smallWorld({
    ...{ speeds: [1, 1, 1], work: [0.01], activations: ACTIVATIONS, carried },
    pairs: [
      [ONE, OTHER],
      [OTHER, ONE],
      [home, HOME]
    ]
  })

test.each(['confluence', 'ms-mdi', 'ddi'] as const)(
  '%s: a datum of which each of two devices believes that the other can compute it does not go to and fro between them, and goes on as soon as one can',
  async policy => {
    const believed = [world([[], [], [0]], ONE), world([[], [0], []], OTHER)] as const
    const { sent, delivered, dispatchers, pass } = two(policy, believed)
    dispatchers[0]!.arrive(datum(0), HOME)
    await pass(12)
    expect(sent.length).toBeGreaterThan(0)
    expect(sent.length).toBeLessThan(20)
    for (const one of believed) one.setCarried(ONE, 0, 0, true)
    await pass(3)
    expect(delivered).toEqual([1])
  }
)

test('nor does a result of which each believes that the other is on its way home', async () => {
  const believed = [world([[], [0], [0]], OTHER), world([[], [0], [0]], ONE)] as const
  const { sent, delivered, dispatchers, pass } = two('confluence', believed)
  dispatchers[0]!.arrive(datum(1), HOME)
  await pass(12)
  expect(sent.length).toBeLessThan(20)
  for (const one of believed) one.setLink(ONE, HOME, one.link(ONE, OTHER)!.rate, seconds(0))
  await pass(3)
  expect(delivered).toEqual([1])
})
