import { create } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { joined, type NetworkGroup, networkGroup, openPair } from '../../testing/open-networks.ts'
import { TaskSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { ArrivedTask } from './network.ts'

let group: NetworkGroup
beforeEach(() => {
  group = networkGroup()
})
afterEach(() => group[Symbol.asyncDispose]())

const task = (datum: number) => create(TaskSchema, { source: 's@d', datum: BigInt(datum), model: 'm', home: 'h' })

describe('two devices with the same key', () => {
  it('exchange tasks', async () => {
    const arrived: ArrivedTask[] = []
    const [a, b] = await openPair(group, {
      onTask: t => {
        arrived.push(t)
        return { kind: 'accepted' }
      }
    })
    const data = new Uint8Array(800_000).fill(7)
    const sending = b.network.sendTask(a.self, task(1), [{ name: 'x', type: 'float32', dims: [200_000], data }])
    await sending.written
    expect(await sending.answered).toEqual({ kind: 'accepted' })
    expect(arrived[0]?.tensors[0]?.data).toEqual(data)
    expect(arrived[0]?.from).toBe(b.self)
    for (let i = 0; i < 0; i++) {
      const t = performance.now()
      await b.network.sendTask(a.self, task(i), [{ name: 'x', type: 'float32', dims: [200_000], data }]).answered
      console.log((performance.now() - t).toFixed(2))
    }
    console.log(b.network.link(a.self), a.network.link(b.self), b.said, a.said, a.events, b.events)
  })

  it('reach a third through the second', async () => {
    const [a, b] = await openPair(group)
    const c = await group.open()
    c.network.join(b.address)
    await joined(c, a.self)
    await joined(a, c.self)
  })
})
