import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { policyOn } from '../testing/policy-on.ts'
import { smallWorld } from '../testing/small-world.ts'
import { taskState } from '../testing/task-state.ts'
import { POLICIES } from './policies.ts'
import type { Policy, Report } from './policy.ts'

const now = seconds(0)

/** A slow device with a source, and a fast one: 1 s here, or 0.2 s over the link and 0.25 s there. */
const world = (): World =>
  smallWorld({ speeds: [0.5, 2], work: [0.25, 0.25], activations: [2e5, 2e5, 0], link: { rate: 1e6, latency: 0 } })

const busy = (policy: Policy, backlog: number): Policy => {
  const report: Report = {
    ...{ backlog: seconds(backlog), received: [] },
    commitments: [{ from: 1, to: 1, seconds: backlog }]
  }
  policy.heard(1, report, now)
  return policy
}

const way = (backlog: number, deadline?: number): unknown => {
  const task = taskState(deadline === undefined ? {} : { deadline: seconds(deadline) })
  return busy(policyOn(POLICIES.confluence, world()), backlog).admit(task, now)
}

const HERE = { steps: [{ device: 0, until: 2 }] }
const THERE = { steps: [{ device: 1, until: 2 }, { device: 0 }] }

test('a datum that its way of least price would bring home late goes the way that is soonest at its end', () => {
  // There it is home after 0.45 s, or 0.25 s after what waits there; here after 1 s.
  expect(way(0.5)).toMatchObject(HERE)
  expect(way(0.5, 1.1)).toMatchObject(HERE)
  expect(way(0.5, 0.9)).toMatchObject(THERE)
})

test('one that is late on every way takes the one that takes least from others', () => {
  expect(way(0.5, 0.1)).toMatchObject(HERE)
})

test('a deadline that is far away changes nothing', () => {
  const backlogs = fc.double({ min: 0, max: 5, noNaN: true })
  fc.assert(
    fc.property(backlogs, backlog => {
      expect(way(backlog, 1000)).toEqual(way(backlog))
    })
  )
})

test('who has no deadline never gives way; who has one does from when it is too late until as long again has passed', () => {
  const policy = policyOn(POLICIES.confluence, world())
  const times = fc.double({ min: 0, max: 20, noNaN: true })
  fc.assert(
    fc.property(times, fc.double({ min: 0.01, max: 5, noNaN: true }), fc.nat(1), (at, deadline, done) => {
      const ahead = [0.45, 0.325][done]! // the soonest way from here
      const yields = policy.yields!(taskState({ deadline: seconds(deadline), done }), seconds(at))
      if (Math.abs(at + ahead - deadline) > 1e-6 && Math.abs(at - 2 * deadline) > 1e-6)
        expect(yields).toBe(at + ahead > deadline && at < 2 * deadline)
      expect(policy.yields!(taskState({ done }), seconds(at))).toBe(false)
      expect(policy.yields!(taskState({ deadline: seconds(deadline), done: 2 }), seconds(at))).toBe(false)
    })
  )
})
