import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { policyOn } from '../testing/policy-on.ts'
import { smallWorld } from '../testing/small-world.ts'
import { taskState } from '../testing/task-state.ts'
import { POLICIES } from './policies.ts'
import type { Policy } from './policy.ts'

const now = seconds(0)

/** A slow device with a source, and a fast one: 0.5 s here, or 0.01 s over the link and 0.25 s there. */
const world = (): World =>
  smallWorld({ speeds: [1, 2], work: [0.25, 0.25], activations: [1e4, 1e4, 0], link: { rate: 1e6, latency: 0 } })

/** So much is committed to the link. */
const busy = (policy: Policy, committed: number): Policy => {
  const commitments = [{ from: 0, to: 1, seconds: committed }]
  policy.heard(1, { backlog: seconds(0), received: [], commitments }, now)
  return policy
}

const way = (backlog: number, deadline?: number, isBacklogged = false): unknown => {
  const task = taskState({ isBacklogged, ...(deadline === undefined ? {} : { deadline: seconds(deadline) }) })
  return busy(policyOn(POLICIES.confluence, world()), backlog).admit(task, now)
}

const HERE = { steps: [{ device: 0, until: 2 }] }
const THERE = { steps: [{ device: 1, until: 2 }, { device: 0 }] }

test('a datum that its way of least price would bring home late goes one that waits less', () => {
  // There it is home after 0.26 s and what the link is busy for, here after 0.5 s, of the slow device.
  expect(way(0.4)).toMatchObject(THERE)
  expect(way(0.4, 0.7)).toMatchObject(THERE)
  expect(way(0.4, 0.6)).toMatchObject(HERE)
})

test('one that is late on every way takes its usual one, and so does one of a source that has more than the network takes', () => {
  expect(way(0.4, 0.1)).toEqual(way(0.4))
  expect(way(0.4, 0.6, true)).toEqual(way(0.4, undefined, true))
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
      const ahead = [0.26, 0.135][done]! // the soonest way from here
      const yields = policy.yields!(taskState({ deadline: seconds(deadline), done }), seconds(at))
      if (Math.abs(at + ahead - deadline) > 1e-6 && Math.abs(at - 2 * deadline) > 1e-6)
        expect(yields).toBe(at + ahead > deadline && at < 2 * deadline)
      expect(policy.yields!(taskState({ done }), seconds(at))).toBe(false)
      expect(policy.yields!(taskState({ deadline: seconds(deadline), done: 2 }), seconds(at))).toBe(false)
    })
  )
})
