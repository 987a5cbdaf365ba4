import { create } from '@bufbuild/protobuf'
import type { Connection, Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { PeerBudgets } from '../../cluster/peer-budgets.ts'
import { deviceId } from '../../core/ids.ts'
import { megabitsPerSecond, milliseconds, type Seconds, seconds } from '../../core/units.ts'
import { type LinkShape, Pacers } from '../../emulation/pacer.ts'
import { createManualClock, type ManualClock } from '../../testing/manual-clock.ts'
import { NoticeSchema } from '../generated/tributary/v1/wire_pb.ts'
import { FRAME_LIMITS } from './frame-limits.ts'
import { LinkMeter } from './link-meter.ts'
import { PeerSession, TASK_PROTOCOL } from './peer-session.ts'

/** One end of a stream whose bytes are at the other end at once. */
class Wire extends EventTarget {
  readonly status = 'open'
  readonly writeStatus = 'writable'
  far: Wire | undefined

  send(data: unknown): boolean {
    this.far?.dispatchEvent(Object.assign(new Event('message'), { data }))
    return true
  }
}

const open = (clock: ManualClock, shape: () => LinkShape): PeerSession => {
  const pacers = new Pacers<string>(clock)
  return new PeerSession({
    member: { peer: deviceId('shed'), role: 'device', mayAdmit: false, incarnation: 1n },
    link: { meter: new LinkMeter() },
    clock,
    limits: FRAME_LIMITS,
    shaper: () => pacers.shaper('shed', shape()),
    events: {
      onTask: () => ({ kind: 'accepted' }),
      onRequest: () => Promise.reject(new Error('none')),
      onNotice: () => {},
      onAcquaintances: () => {},
      onRecords: () => {},
      onAsked: () => {},
      onDoubt: () => {},
      onHeard: () => {},
      onBroken: (_, because) => expect.unreachable(because)
    },
    budgets: new PeerBudgets({ now: () => clock.now(), exceeded: (_, because) => expect.unreachable(because) }),
    say: () => {}
  })
}

/** Streams that `from` opens are accepted by `to`. */
const connect = (from: PeerSession, to: PeerSession): void => {
  const newStream = (protocols: string | string[]): Promise<Stream> => {
    const [near, far] = [new Wire(), new Wire()]
    near.far = far
    if (protocols[0] === TASK_PROTOCOL) to.acceptTasks(far as unknown as Stream)
    else to.acceptControl(far as unknown as Stream)
    return Promise.resolve(near as unknown as Stream)
  }
  from.addConnection({ status: 'open', newStream } as Partial<Connection> as Connection)
}

/** Two sessions at the ends of a shaped link of 20 Mbit/s, that ping twice a second and send a notice every so often. */
const openBoth = (latency: Seconds, noticeEvery: number) => {
  const clock = createManualClock()
  const link = { rate: megabitsPerSecond(20), latency }
  const [a, b] = [open(clock, () => link), open(clock, () => link)]
  connect(a, b)
  connect(b, a)
  const pass = async (duration: number): Promise<void> => {
    for (let step = 0; step < duration * 10; step++) {
      for (const session of [a, b]) {
        if (step % 5 === 0) session.ping()
        const value = create(NoticeSchema, { body: { case: 'custody', value: { source: 's@d' } } })
        if (step % (noticeEvery * 10) === 0) session.control.send(0n, { case: 'notice', value })
      }
      await clock.advance(seconds(0.1))
    }
  }
  return { a, link, pass }
}

test('a latency that becomes longer than the time between two notices is learnt', async () => {
  const { a, link, pass } = openBoth(milliseconds(3), 0.1)
  await pass(5)
  expect(a.meter.measure(true)?.latency).toBeCloseTo(0.003, 2)
  link.latency = milliseconds(150)
  await pass(10)
  expect(a.meter.measure(true)?.latency).toBeCloseTo(0.15, 2)
  expect(a.meter.measure(true)!.rate / link.rate).toBeCloseTo(1, 1)
})

test('a link whose latency is longer than the time between two notices from the start is measured', async () => {
  const { a, link, pass } = openBoth(milliseconds(600), 0.5)
  await pass(6)
  const measured = a.meter.measure(true)
  expect(measured?.latency).toBeCloseTo(0.6, 2)
  expect(measured!.rate / link.rate).toBeCloseTo(1, 1)
})
