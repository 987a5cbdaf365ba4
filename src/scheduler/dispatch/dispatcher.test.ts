import { describe, expect, test } from 'vitest'
import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { smallWorld } from '../../testing/small-world.ts'
import { POLICIES, type PolicyName } from '../policies.ts'
import { Dispatcher } from './dispatcher.ts'
import type { RunOutcome } from './lane-queue.ts'
import type { LiveTask } from './live-task.ts'

const task = (datum: number, over: Partial<LiveTask> = {}): LiveTask => ({
  source: 'cam@d0',
  datum,
  attempt: 1,
  model: 0,
  home: 0,
  weight: 1,
  availableAt: seconds(0),
  done: 0,
  arrivedAt: seconds(0),
  turn: 0,
  route: [],
  isBacklogged: false,
  lag: seconds(0),
  served: seconds(0),
  refusals: 0,
  ...over
})

/** A device on a manual clock: block k takes its time in the world, a transfer takes bytes / rate. */
const device = (
  policy: PolicyName,
  world: World,
  answers: (to: number, datum: number) => 'accepted' | 'refused' = () => 'accepted',
  outcome: (took: Seconds) => RunOutcome = took => ({ kind: 'done', took })
) => {
  const clock = createManualClock()
  const log: string[] = []
  const say = (text: string): void => void log.push(`${clock.now().toFixed(2)} ${text}`)
  const dispatcher = new Dispatcher<LiveTask>(POLICIES[policy], {
    now: () => clock.now(),
    world,
    self: 0,
    bytes: () => 1000,
    run: (t, finished) => {
      say(`start ${t.datum}/${t.done}`)
      const took = world.blockTime(0, 0, t.done)
      void clock.sleep(took).then(() => finished(outcome(took)))
    },
    send: (t, to, outcome) => {
      say(`send ${t.datum} to d${to}`)
      void clock.sleep(seconds(1000 / world.link(0, to)!.rate)).then(() => {
        outcome.written()
        outcome[answers(to, t.datum)]()
      })
    },
    deliver: t => say(`deliver ${t.datum}`),
    failed: (t, because) => say(`fail ${t.datum}: ${because}`),
    ask: (_, __, granted) => queueMicrotask(granted),
    giveBack: () => {},
    handedOver: (t, to) => say(`over ${t.datum} d${to}`)
  })
  return { clock, log, dispatcher }
}

const pair = (over: Partial<Parameters<typeof smallWorld>[0]> = {}): World =>
  smallWorld({
    speeds: [1, 1],
    work: [1, 1],
    activations: [1000, 1000, 1000],
    link: { rate: 1000, latency: 0 },
    ...over
  })

describe('Dispatcher', () => {
  test('decides anew where a block is computed that is not here any more, and nothing has failed', async () => {
    const world = pair()
    const { clock, log, dispatcher } = device('ms-mdi', world, undefined, () => {
      world.setCarried(0, 0, 0, false)
      return { kind: 'notHere' }
    })
    dispatcher.submit(task(0))
    await clock.advance(seconds(5))
    expect(log).toEqual(['0.00 start 0/0', '1.00 send 0 to d1', '2.00 over 0 d1'])
  })

  test('runs the blocks of a local task one after another and delivers it', async () => {
    const { clock, log, dispatcher } = device('local', pair())
    dispatcher.submit(task(0))
    dispatcher.submit(task(1))
    await clock.advance(seconds(10))
    expect(log).toEqual([
      '0.00 start 0/0',
      '1.00 start 0/1',
      '2.00 deliver 0',
      '2.00 start 1/0',
      '3.00 start 1/1',
      '4.00 deliver 1'
    ])
  })

  test('with oldest first, the datum under way goes before the one that waits', async () => {
    const { clock, log, dispatcher } = device(
      'confluence',
      smallWorld({ speeds: [1], work: [1, 1], activations: [1, 1, 1] })
    )
    dispatcher.submit(task(0))
    dispatcher.submit(task(1, { availableAt: seconds(0.5) }))
    await clock.advance(seconds(10))
    expect(log).toEqual([
      '0.00 start 0/0',
      '1.00 start 0/1',
      '2.00 deliver 0',
      '2.00 start 1/0',
      '3.00 start 1/1',
      '4.00 deliver 1'
    ])
  })

  test('sends one frame at a time, and what is handed over is gone from here', async () => {
    const { clock, log, dispatcher } = device('ddi', pair({ speeds: [0.01, 1] }))
    dispatcher.submit(task(0))
    dispatcher.submit(task(1))
    await clock.advance(seconds(2))
    expect(log).toEqual(['0.00 send 0 to d1', '1.00 send 1 to d1', '1.00 over 0 d1', '2.00 over 1 d1'])
    expect(dispatcher.queued()).toEqual({ lane: 0, links: 0, waiting: 0 })
  })

  test('a task whose carrier is lost while it is sent is decided anew, with its activation', async () => {
    const world = pair({ speeds: [0.5, 1] })
    const { clock, log, dispatcher } = device('confluence', world, () => 'refused')
    dispatcher.arrive(task(0, { route: [{ device: 1, until: 2 }] }), 1)
    world.setUp(1, false)
    await clock.advance(seconds(10))
    expect(log).toEqual(['0.00 send 0 to d1', '1.00 start 0/0', '3.00 start 0/1', '5.00 deliver 0'])
  })

  test('tasks queued for a lost device are routed again', async () => {
    const world = pair()
    const { clock, log, dispatcher } = device('confluence', world)
    dispatcher.arrive(task(0, { route: [{ device: 1, until: 2 }] }), 1)
    dispatcher.arrive(task(1, { route: [{ device: 1, until: 2 }] }), 1)
    world.setUp(1, false)
    dispatcher.worldChanged()
    await clock.advance(seconds(0.5))
    expect(log).toEqual(['0.00 send 0 to d1', '0.00 start 1/0'])
  })

  test('a task for which nobody carries the block waits, and goes on when somebody does', async () => {
    const world = pair({ carried: [[0], []] })
    const { clock, log, dispatcher } = device('confluence', world)
    dispatcher.submit(task(0))
    await clock.advance(seconds(1))
    expect(log).toEqual([])
    expect(dispatcher.waiting().map(w => w.because)).toEqual([{ kind: 'wait', block: 1 }])
    world.setCarried(0, 0, 1, true)
    dispatcher.worldChanged()
    await clock.advance(seconds(2))
    expect(log).toEqual(['1.00 start 0/0', '2.00 start 0/1', '3.00 deliver 0'])
  })

  test('a task that is refused over and over is never given up: it is tried again with growing pauses, and sooner when something opens', async () => {
    const world = pair({ carried: [[], [0, 1]] })
    let willing = false
    const { clock, log, dispatcher } = device('confluence', world, () => (willing ? 'accepted' : 'refused'))
    const pass = async (tenths: number): Promise<void> => {
      for (let i = 0; i < tenths; i++) {
        await clock.advance(seconds(0.1))
        dispatcher.worldChanged() // as a device does, again and again, while something waits
      }
    }
    dispatcher.submit(task(0))
    await pass(1000)
    const sends = log.map(line => Number.parseFloat(line))
    expect(log.every(line => line.endsWith('send 0 to d1'))).toBe(true)
    expect(sends.length).toBeLessThan(50)
    const pauses = sends.slice(1).map((at, i) => at - sends[i]! - 1) // a try takes a second on this link
    expect(Math.max(...pauses)).toBeLessThan(2.2)
    expect(pauses.slice(0, 3)).toEqual([0, 0, 0])
    const resting = dispatcher.waiting().length + dispatcher.queued().links
    expect(resting).toBe(1)
    while (dispatcher.waiting().length === 0) await pass(1)
    willing = true
    world.setCarried(1, 0, 0, false)
    world.setCarried(1, 0, 0, true)
    dispatcher.worldChanged()
    await clock.advance(seconds(1))
    expect(log.at(-1)).toMatch(/over 0 d1/)
  })

  test('what waits is decided anew when its blocks have become slow here, and only what is better off elsewhere goes', async () => {
    const world = pair({ link: { rate: 10_000, latency: 0 } })
    const { clock, log, dispatcher } = device('confluence', world)
    for (let i = 0; i < 3; i++) dispatcher.arrive(task(i, { route: [{ device: 0, until: 2 }] }), 1)
    dispatcher.reconsider()
    world.setBlockTime(0, 0, 0, seconds(4))
    world.setBlockTime(0, 0, 1, seconds(4))
    dispatcher.reconsider()
    await clock.advance(seconds(0.5))
    expect(log.filter(line => !line.includes('over'))).toEqual([
      '0.00 start 0/0',
      '0.00 send 1 to d1',
      '0.10 send 2 to d1'
    ])
    expect(dispatcher.queued()).toEqual({ lane: 1, links: 0, waiting: 0 })
  })

  test('a policy that does not wish it leaves what was decided', async () => {
    const world = pair({ link: { rate: 10_000, latency: 0 } })
    const { log, dispatcher } = device('ms-mdi', world)
    for (let i = 0; i < 3; i++) dispatcher.arrive(task(i, { route: [{ device: 0, until: 2 }] }), 1)
    dispatcher.reconsider()
    world.setBlockTime(0, 0, 0, seconds(9))
    dispatcher.reconsider()
    expect(log).toEqual(['0.00 start 0/0'])
    expect(dispatcher.queued().lane).toBe(3)
  })

  test.each(['ddi', 'ms-mdi'] as const)(
    '%s does not count what was refused as work of who refused it',
    async policy => {
      const { clock, log, dispatcher } = device(policy, pair({ speeds: [0.01, 1, 0.5] }), () => 'refused')
      dispatcher.submit(task(0))
      for (let i = 0; i < 20; i++) {
        await clock.advance(seconds(1))
        dispatcher.worldChanged()
      }
      const sends = new Set(log.filter(line => line.includes('send')).map(line => line.slice(-2)))
      expect([...sends]).toEqual(['d1']) // the faster one, and no slower for having refused
    }
  )

  test('what a device had and said in a former life is forgotten when another process takes its place', () => {
    const { dispatcher } = device('ms-mdi', pair({ speeds: [0.25, 1] }))
    const choice = (): number | undefined => {
      const decision = dispatcher.policy.admit(task(9), seconds(0))
      return decision.kind === 'go' ? decision.steps[0]?.device : undefined
    }
    const said = { backlog: seconds(50), commitments: [], received: [] }
    dispatcher.policy.heard(1, said, seconds(0))
    dispatcher.policy.sent(task(8), 1, seconds(0))
    expect(choice()).toBe(0)
    dispatcher.forget(1)
    expect(choice()).toBe(1)
  })

  test('a finished task of another device goes home, whatever the policy', async () => {
    const { clock, log, dispatcher } = device('local', pair())
    dispatcher.arrive(task(0, { home: 1, done: 2 }), 1)
    await clock.advance(seconds(1))
    expect(log).toEqual(['0.00 send 0 to d1', '1.00 over 0 d1'])
  })

  test('a cancelled datum leaves every queue', async () => {
    const { clock, log, dispatcher } = device('local', pair())
    dispatcher.submit(task(0))
    dispatcher.submit(task(1))
    dispatcher.cancel(t => t.datum === 1)
    await clock.advance(seconds(10))
    expect(log.some(line => line.includes('1/'))).toBe(false)
  })
})

describe('a policy that throws', () => {
  /** `ms-mdi`, but for what throws while `isBroken`. */
  const brokenIn = (...methods: readonly ('admit' | 'next' | 'sent' | 'arrived' | 'beforeSend')[]) => {
    const clock = createManualClock()
    const delivered: number[] = []
    const failures: unknown[] = []
    const state = { isBroken: true }
    const world = smallWorld({ speeds: [1], work: [1, 1], activations: [1000, 1000, 10] })
    const dispatcher = new Dispatcher<LiveTask>(
      host => {
        const policy = POLICIES['ms-mdi'](host)
        const fails = Object.fromEntries(
          methods.map(method => [
            method,
            (...args: never[]) => {
              if (state.isBroken) throw new Error(`${method} is broken`)
              return (policy[method] as ((...args: never[]) => unknown) | undefined)?.(...args)
            }
          ])
        )
        return { ...policy, ...fails }
      },
      {
        ...{ now: () => clock.now(), world, self: 0, bytes: () => 1000 },
        run: (_, finished) => void clock.sleep(seconds(1)).then(() => finished({ kind: 'done', took: seconds(1) })),
        send: () => {},
        deliver: ({ datum }) => delivered.push(datum),
        ...{ failed: () => {}, ask: () => {}, giveBack: () => {}, handedOver: () => {} },
        policyFailed: error => failures.push(error)
      }
    )
    return { clock, dispatcher, delivered, failures, state }
  }

  test.each(['admit', 'next'] as const)(
    'loses no task in %s: all wait, and go on when it works again',
    async method => {
      const { clock, dispatcher, delivered, failures, state } = brokenIn(method)
      for (const datum of [0, 1, 2]) dispatcher.submit(task(datum))
      await clock.advance(seconds(10))
      expect([...dispatcher.waiting()].map(({ task: { datum } }) => datum).toSorted()).toEqual([0, 1, 2])
      expect(dispatcher.waiting()[0]!.because).toEqual({
        kind: 'cannot',
        because: `the policy ms-mdi failed: ${method} is broken`
      })
      expect(failures).toHaveLength(3)
      state.isBroken = false
      dispatcher.worldChanged()
      await clock.advance(seconds(10))
      expect(delivered.toSorted()).toEqual([0, 1, 2])
    }
  )

  test('in what it only notes costs nothing but that', async () => {
    const { clock, dispatcher, delivered, failures } = brokenIn('arrived')
    dispatcher.arrive(task(0), 0)
    await clock.advance(seconds(10))
    expect([delivered, failures.length]).toEqual([[0], 1])
  })
})

describe('notices may be lost', () => {
  test('a neighbour that has not cleared what it was asked is asked again', async () => {
    const clock = createManualClock()
    const asks: (() => void)[] = []
    const sent: number[] = []
    const dispatcher = new Dispatcher<LiveTask>(POLICIES['pa-mdi'], {
      now: () => clock.now(),
      world: pair({ carried: [[], [0, 1]] }),
      self: 0,
      bytes: () => 1000,
      run: () => {},
      send: t => void sent.push(t.datum),
      deliver: () => {},
      failed: () => {},
      ask: (_, __, granted) => void asks.push(granted),
      giveBack: () => {},
      handedOver: () => {}
    })
    dispatcher.submit(task(0))
    dispatcher.remind()
    expect(asks.length).toBe(1)
    await clock.advance(seconds(2.5))
    dispatcher.remind()
    expect(asks.length).toBe(2)
    asks[1]!()
    expect(sent).toEqual([0])
  })
})

test.each(['ms-mdi', 'pa-mdi'] as const)(
  '%s does not choose anew what a source has sent past a device that failed it',
  async policy => {
    const world = smallWorld({
      speeds: [1, 10, 0.1],
      work: [1, 1],
      activations: [1000, 1000, 1000],
      link: { rate: 1000, latency: 0 },
      carried: [[], [0, 1], [0, 1]]
    })
    const sentTo = async (route: LiveTask['route']): Promise<string[]> => {
      const { clock, log, dispatcher } = device(policy, world)
      dispatcher.submit(task(0, { route }))
      await clock.advance(seconds(0.5))
      return log
    }
    expect(await sentTo([])).toEqual(['0.00 send 0 to d1'])
    expect(await sentTo([{ device: 2, until: 2 }])).toEqual(['0.00 send 0 to d2'])
  }
)

test('a block that says so ends its datum or begins it again, whatever was decided for the blocks ahead', async () => {
  const world = pair()
  const said: RunOutcome[] = [
    { kind: 'done', took: seconds(1), follow: 'again' },
    { kind: 'done', took: seconds(1), follow: 'next' },
    { kind: 'done', took: seconds(1), follow: 'again' },
    { kind: 'done', took: seconds(1), follow: 'home' }
  ]
  const { clock, log, dispatcher } = device('local', world, undefined, () => said.shift()!)
  dispatcher.submit(
    task(0, {
      route: [
        { device: 0, until: 1 },
        { device: 1, until: 2 }
      ]
    })
  )
  await clock.advance(seconds(10))
  expect(log).toEqual(['0.00 start 0/0', '1.00 start 0/0', '2.00 start 0/1', '3.00 start 0/0', '4.00 deliver 0'])
})
