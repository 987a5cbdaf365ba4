import { create } from '@bufbuild/protobuf'
import { afterEach, beforeEach, expect, type TestContext, test } from 'vitest'
import type { DeviceId } from '../core/ids.ts'
import { megabitsPerSecond, milliseconds } from '../core/units.ts'
import { TaskSchema } from '../runtime/generated/tributary/v1/wire_pb.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { joined, type NetworkGroup, networkGroup, type OpenNetwork } from '../testing/open-networks.ts'
import { watchProcessors } from '../testing/watch-processors.ts'
import { openMediumArbiter } from './medium-arbiter.ts'
import { createMediumClient } from './medium-client.ts'
import { linksLike, type Medium } from './pacer.ts'

let group: NetworkGroup
beforeEach(() => {
  group = networkGroup()
})
afterEach(() => group[Symbol.asyncDispose]())

const SIZE = 600_000
/** Seconds at 20 Mbit/s, and 3 ms. */
const [TRANSFER, LATENCY] = [0.24, 0.003]
/** As often as each transfer is made; the least counts: a busy machine is late with some, an inexact link with all. */
const TIMES = 5

/** A network whose tasks arrive: what is awaited is the instant at which the receiver had the last byte of the next one. */
const openReceiver = async () => {
  let tell = (_: { readonly from: DeviceId; readonly at: number }): void => {}
  const receiver = await group.open({
    onTask: ({ from }) => {
      tell({ from, at: systemClock.now() })
      return { kind: 'accepted' }
    }
  })
  return {
    receiver,
    arrivals: (senders: number): Promise<number> =>
      new Promise(resolve => {
        const arrived = new Set<DeviceId>()
        tell = ({ from, at }) => {
          if (arrived.add(from).size === senders) resolve(at)
        }
      })
  }
}

/** Its link to everybody has 20 Mbit/s and 3 ms, of its own or on the medium. */
const openSender = async (receiver: OpenNetwork, medium?: Medium): Promise<OpenNetwork> => {
  const link = { rate: megabitsPerSecond(20), latency: milliseconds(3), medium }
  const sender = await group.open({}, { shaper: linksLike(systemClock, link) })
  sender.network.join(receiver.address)
  await Promise.all([joined(sender, receiver.self), joined(receiver, sender.self)])
  return sender
}

/** All senders send 600 KB at the same instant. @returns seconds until the last of them had arrived, of the shortest time */
const measure = async (
  { receiver, arrivals }: Awaited<ReturnType<typeof openReceiver>>,
  senders: readonly OpenNetwork[]
): Promise<number> => {
  const send = () => {
    const tensors = [{ name: 'x', type: 'uint8', dims: [SIZE], data: new Uint8Array(SIZE) }] as const
    return senders.map(({ network }) => network.sendTask(receiver.self, create(TaskSchema, { source: 's@d' }), tensors))
  }
  await Promise.all(send().map(({ answered }) => answered)) // behind the frames that measure the link, and warm
  const took: number[] = []
  for (let i = 0; i < TIMES; i++) {
    const last = arrivals(senders.length)
    const start = systemClock.now()
    const sent = send()
    took.push((await last) - start)
    await Promise.all(sent.map(({ answered }) => answered))
  }
  return Math.min(...took)
}

/** Less no emulated link may take; more, only where this machine was late. */
const expectWithin5Percent = async (context: TestContext, measured: () => Promise<number>, expected: number) => {
  const processors = watchProcessors()
  const took = await measured()
  expect(took / expected).toBeGreaterThan(0.95)
  processors.inTime(context, () => expect(took / expected).toBeLessThan(1.05))
}

test('600 KB over an emulated link of 20 Mbit/s and 3 ms arrive after 243 ms, within 5 %', async context => {
  const at = await openReceiver()
  const sender = await openSender(at.receiver)
  await expectWithin5Percent(context, () => measure(at, [sender]), TRANSFER + LATENCY)
})

test('two that send 600 KB at once over a medium they share are both done after 483 ms, within 5 %', async context => {
  await using arbiter = await openMediumArbiter(systemClock)
  const at = await openReceiver()
  const open = () => openSender(at.receiver, createMediumClient(arbiter.address, systemClock))
  const senders = [await open(), await open()]
  await expectWithin5Percent(context, () => measure(at, senders), 2 * TRANSFER + LATENCY)
})
