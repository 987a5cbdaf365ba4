import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { create } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seconds } from '../../src/core/units.ts'
import { RequestSchema, TaskSchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import { NetworkError, type PeerEvent } from '../../src/runtime/ports/network.ts'
import { type NetworkGroup, networkGroup, type OpenNetwork } from '../../src/testing/open-networks.ts'
import { watchProcessors } from '../../src/testing/watch-processors.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/src/testing/network-process.js', import.meta.url))

let group: NetworkGroup
let here: OpenNetwork
let child: ChildProcess
/** What the child heard of us. */
let heard: PeerEvent[]

beforeEach(async () => {
  group = networkGroup()
  here = await group.open()
  heard = []
  // advanced: lives are bigints, which JSON has not
  child = fork(PROGRAM, [Buffer.from(group.key).toString('hex'), here.address], { serialization: 'advanced' })
  child.on('message', event => heard.push(event as PeerEvent))
})
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await group[Symbol.asyncDispose]()
})

const task = create(TaskSchema, { source: 's@d', model: 'm' })
const payload = () => [{ name: 'x', type: 'uint8' as const, dims: [40_000_000], data: new Uint8Array(40_000_000) }]
/** The next event of this kind that is not among those already seen. */
const next = (kind: PeerEvent['kind'], seen: readonly PeerEvent[] = []) =>
  here.event(event => event.kind === kind && !seen.includes(event))
/** The child is there. @throws where it ends instead */
const joins = (): Promise<PeerEvent> => {
  const ended = once(child, 'exit').then(([code, signal]) => Promise.reject(new Error(`it ended: ${code ?? signal}`)))
  ended.catch(() => {}) // later on it is meant to
  return Promise.race([next('joined'), ended])
}

describe('a device in another process', () => {
  it('that is killed has left at once, and what was on its way to it is rejected', async context => {
    const { peer } = await joins()
    const sending = here.network.sendTask(peer, task, payload())
    const outcome = Promise.allSettled([sending.written, sending.answered])
    child.kill('SIGKILL')
    const processors = watchProcessors()
    expect(await next('left')).toMatchObject({ peer, because: 'its connection closed' })
    const took = processors.stop()
    expect((await outcome)[1]).toMatchObject({ status: 'rejected', reason: expect.any(NetworkError) })
    expect(here.network.peers().size).toBe(0)
    processors.inTime(context, () => expect(took).toBeLessThan(1000))
  })

  it('that stands still is silent, and is back when it goes on, without having missed us', async context => {
    const joined = await joins()
    const { peer } = joined
    expect(await here.network.sendTask(peer, task, []).answered).toEqual({ kind: 'accepted' })
    child.kill('SIGSTOP')
    const processors = watchProcessors()
    const status = create(RequestSchema, { body: { case: 'status', value: {} } })
    const request = here.network.request(peer, status, { timeout: seconds(60) })
    const sending = here.network.sendTask(peer, task, payload())
    const outcome = Promise.allSettled([request, sending.answered])
    const left = await next('left')
    expect(left).toMatchObject({ peer, because: expect.stringMatching(/^silent for /) })
    const silence = processors.stop()
    expect(silence).toBeGreaterThan(2500)
    expect((await outcome).map(o => o.status)).toEqual(['rejected', 'rejected'])
    await expect(here.network.sendTask(peer, task, []).answered).rejects.toThrow(/not connected/)
    await new Promise(resolve => setTimeout(resolve, 3000)) // longer than it would wait for us
    child.kill('SIGCONT')
    expect(await next('joined', [joined])).toMatchObject({ peer })
    expect(await here.network.sendTask(peer, task, payload()).answered).toEqual({ kind: 'accepted' })
    expect(heard.map(({ kind }) => kind)).toEqual(['joined'])
    expect(here.network.counters()).toMatchObject({ malformedFrames: 0, oversizedFrames: 0, refusedPeers: 0 })
    processors.inTime(context, () => {
      expect(left).toMatchObject({ because: expect.stringMatching(/^silent for 3\.\d s$/) })
      expect(silence).toBeLessThan(4500)
    })
  })

  it('ends by itself when its network stops', async context => {
    await joins()
    child.disconnect()
    const processors = watchProcessors()
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    const took = processors.stop()
    expect(await next('left')).toMatchObject({ because: 'its connection closed' })
    processors.inTime(context, () => expect(took).toBeLessThan(900)) // no timer or socket holds it
  })
})
