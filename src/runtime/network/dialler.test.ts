import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { PEER_BUDGETS, PeerBudgets } from '../../cluster/peer-budgets.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { milliseconds, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { RefusedError } from './admission.ts'
import { Dialler } from './dialler.ts'

const self = deviceId('12D3KooWAAAA')
const shed = deviceId('12D3KooWShed')
const porch = deviceId('12D3KooWPorch')

/** Who answers at which address; everything else swallows what is sent there. */
const dialler = (
  there: Record<string, DeviceId | 'refuses' | 'knows the invite' | 'is busy' | 'self'>,
  own: readonly string[] = []
) => {
  const clock = createManualClock()
  const connected = new Set<DeviceId>()
  const dialled: string[] = []
  const said: string[] = []
  const shut: string[] = []
  const late = { times: 1 }
  const made = new Dialler({
    lateness: () => late.times,
    self,
    clock,
    dial: (address: Multiaddr, signal) => {
      dialled.push(`${address}`)
      const who = there[`${address}`]
      if (who === 'self') return Promise.reject(new Error('Can not dial self'))
      if (who !== undefined) return Promise.resolve({ remotePeer: who, remoteAddr: address } as unknown as Connection)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    },
    admitted: async ({ remotePeer }) => {
      const peer = `${remotePeer}` as DeviceId
      if (`${remotePeer}` === 'refuses') throw new RefusedError('another cluster', true)
      if (`${remotePeer}` === 'knows the invite') throw new RefusedError('it has expired', false, { reason: 'expired' })
      if (`${remotePeer}` === 'is busy') throw new RefusedError('it was too late', true, { isPassing: true })
      connected.add(peer)
    },
    connected: peer => connected.has(peer),
    own: () => own,
    budgets: new PeerBudgets({ now: () => clock.now(), exceeded: (peer, because) => said.push(`${peer}: ${because}`) }),
    onShut: ({ message }) => shut.push(message),
    say: text => said.push(text)
  })
  return { dialler: made, clock, connected, dialled, said, shut, there, late }
}

const HOLE = '/ip4/10.9.9.9/tcp/6174'
const A = '/ip4/10.0.0.1/tcp/6174'
const B = '/ip4/10.0.0.2/tcp/6174'

describe('where processors are short', () => {
  it('an answer is waited for as many times longer as everything takes', async () => {
    const { dialler: d, clock, said, late } = dialler({})
    late.times = 3
    d.join(['10.9.9.9:6174'])
    await clock.advance(seconds(17.5))
    expect(said).toEqual([])
    await clock.advance(seconds(1))
    expect(said[0]).toContain('does not answer yet (no answer within 18 s)')
  })

  it('so is the peer that is to dial first', async () => {
    const earlier = deviceId('12D3KooW0000') // it has the smaller id: it dials, and this device only if it does not
    const { dialler: d, clock, dialled, late } = dialler({ [A]: earlier })
    late.times = 3
    d.learn(earlier, [A])
    d.meet(earlier)
    await clock.advance(seconds(4.4))
    expect(dialled).toEqual([])
    await clock.advance(seconds(0.2))
    expect(dialled).toEqual([A])
  })
})

describe('a search', () => {
  it('for any of the addresses of an invite reaches one behind five black holes within two seconds', async () => {
    const { dialler: d, clock, connected } = dialler({ [A]: shed })
    d.join([1, 2, 3, 4, 5].map(n => `10.9.9.${n}:6174`).concat('10.0.0.1:6174'))
    await clock.advance(milliseconds(1300))
    expect([...connected]).toEqual([shed])
  })

  it('goes round until somebody answers, and no longer', async () => {
    const { dialler: d, clock, connected, dialled, there } = dialler({})
    d.join(['10.0.0.1:6174'])
    await clock.advance(seconds(60))
    expect([connected.size, dialled.length > 3]).toEqual([0, true])
    there[A] = shed
    await clock.advance(seconds(12))
    expect([...connected]).toEqual([shed])
    const before = dialled.length
    await clock.advance(seconds(60))
    expect(dialled.length).toBe(before)
  })

  it('does not go back to an address that refused it, or that is its own, and ends when none is left', async () => {
    const { dialler: d, clock, dialled, there, connected } = dialler({ [A]: 'refuses', [B]: 'self' })
    d.join(['10.0.0.1:6174', '10.0.0.2:6174', '10.9.9.9:6174'])
    await clock.advance(seconds(60))
    expect(dialled.filter(address => address === A || address === B)).toEqual([A, B])
    there[HOLE] = shed
    await clock.advance(seconds(12))
    expect([...connected]).toEqual([shed])
  })

  it('is in vain for good once all that were named have refused, and as soon as one knows the invite for bad', async () => {
    const { dialler: d, clock, shut, there } = dialler({ [A]: 'refuses', [B]: 'is busy' })
    d.join(['10.0.0.1:6174', '10.0.0.2:6174'])
    await clock.advance(seconds(60))
    expect(shut).toEqual([])
    there[B] = 'refuses'
    await clock.advance(seconds(12))
    expect(shut).toEqual(['another cluster'])
    there[A] = 'knows the invite'
    d.join(['10.0.0.1:6174', '10.9.9.9:6174'])
    await clock.advance(seconds(3))
    expect(shut.slice(1)).toEqual(['it has expired'])
    // Whoever the user did not name is not believed in that.
    const other = dialler({ [A]: 'knows the invite' })
    other.dialler.learn(shed, [A])
    other.dialler.meet(shed)
    await other.clock.advance(seconds(60))
    expect([other.dialled.length > 0, other.shut]).toEqual([true, []])
  })

  it('goes back to one that had no time for it', async () => {
    const { dialler: d, clock, there, connected } = dialler({ [A]: 'is busy' })
    d.join(['10.0.0.1:6174'])
    await clock.advance(seconds(30))
    there[A] = shed
    await clock.advance(seconds(6))
    expect([...connected]).toEqual([shed])
  })

  it('for a device of an earlier run starts at its last good address, and goes on for days', async () => {
    const { dialler: d, clock, connected, dialled, there } = dialler({})
    d.learn(shed, [HOLE, A])
    d.answered(shed, `${A}/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N`)
    expect(d.addressesOf(shed)).toEqual([A, HOLE])
    d.recall(shed, d.addressesOf(shed))
    await clock.advance(seconds(2 * 24 * 3600))
    expect(dialled.length).toBeLessThan((2 * 2 * 24 * 3600) / 30 + 50)
    there[A] = shed
    await clock.advance(seconds(50))
    expect([...connected]).toEqual([shed])
  })

  it('for a device is not content with another one that has its address now, and leaves that in peace', async () => {
    const { dialler: d, clock, connected, dialled } = dialler({ [A]: porch, [B]: shed })
    d.recall(shed, [A])
    await clock.advance(seconds(120))
    expect([[...connected], dialled]).toEqual([[porch], [A]])
    d.recall(shed, [B])
    await clock.advance(seconds(1))
    expect([...connected]).toEqual([porch, shed])
  })

  it('does not look for others where it listens itself', async () => {
    const { dialler: d, clock, dialled } = dialler({}, [`${A}/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N`])
    d.recall(shed, [A, HOLE])
    await clock.advance(seconds(10))
    expect(new Set(dialled)).toEqual(new Set([HOLE]))
  })
})

describe('an address that only another build can dial', () => {
  const WS = '/ip4/10.0.0.1/tcp/443/tls/ws'

  it('is kept beside the others, is never dialled, and nothing is said of it', async () => {
    const { dialler: d, clock, dialled, said } = dialler({})
    expect(d.learn(shed, [WS])).toBe(true)
    expect(d.learn(shed, [WS])).toBe(false)
    d.meet(shed)
    d.recall(porch, ['/ip4/10.0.0.2/udp/1/quic-v1'])
    await clock.advance(seconds(3600))
    expect([dialled, said]).toEqual([[], []])
    expect([d.addressesOf(shed), d.addressesOf(porch)]).toEqual([[WS], ['/ip4/10.0.0.2/udp/1/quic-v1']])
    d.learn(shed, [A])
    d.meet(shed)
    await clock.advance(seconds(3))
    expect(dialled).toEqual([A])
  })

  it('makes room for those that can be dialled here, however many they are', () => {
    const { dialler: d } = dialler({})
    d.learn(shed, [A])
    d.learn(
      shed,
      Array.from({ length: 40 }, (_, i) => `/ip4/10.0.1.${i}/udp/1/quic-v1`)
    )
    expect(d.addressesOf(shed)).toHaveLength(32)
    expect(d.addressesOf(shed)).toContain(A)
  })
})

describe('a member that says where devices are', () => {
  const mallory = deviceId('12D3KooWMallory')
  const claims = (d: Dialler, of: (n: number) => string): void => {
    for (let n = 0; n < 512; n++) {
      const peer = deviceId(`12D3KooWZ${n}`)
      d.learn(peer, [of(n)])
      d.meet(peer, mallory)
    }
  }

  it('cannot have a third host knocked at more than a few times', async () => {
    const { dialler: d, clock, dialled, said } = dialler({})
    claims(d, n => `/ip4/203.0.113.7/tcp/${1000 + n}`)
    await clock.advance(seconds(30))
    const { burst, perSecond } = PEER_BUDGETS.dialsToHost
    expect(dialled.length).toBeLessThanOrEqual(burst + 30 * perSecond)
    expect(said.filter(text => text.startsWith('/ip4/203.0.113.7: more than 32'))).toHaveLength(1)
    expect(said.length).toBeLessThan(PEER_BUDGETS.lines.burst + 30)
    d.stop()
  })

  it('nor many hosts, and what others say is tried all the same', async () => {
    const { dialler: d, clock, dialled, connected } = dialler({ [A]: shed })
    claims(d, n => `/ip4/203.0.${n % 256}.${n >> 8}/tcp/6174`)
    await clock.advance(seconds(5))
    const { burst, perSecond } = PEER_BUDGETS.dials
    expect(dialled.length).toBeLessThanOrEqual(burst + 5 * perSecond)
    d.learn(shed, [A])
    d.meet(shed, porch)
    await clock.advance(seconds(2))
    expect([...connected]).toEqual([shed])
    d.stop()
  })

  it('of a large cluster on one host that answers pays nothing', async () => {
    const all = Object.fromEntries(
      [...Array(200).keys()].map(n => [`/ip4/10.0.0.9/tcp/${1000 + n}`, deviceId(`12D3KooWZ${n}`)])
    )
    const { dialler: d, clock, connected } = dialler(all)
    for (const [address, peer] of Object.entries(all)) {
      d.learn(peer, [address])
      d.meet(peer, mallory)
    }
    await clock.advance(seconds(10))
    expect(connected.size).toBe(200)
    d.stop()
  })
})

describe('a device that is started often, at another port each time', () => {
  it('is looked for where it says that it listens and where it answered, not at the ports of all its starts', async () => {
    const { dialler: d, clock, connected, dialled, said, there } = dialler({ [A]: shed })
    const portOf = (start: number): string => `/ip4/10.0.0.1/tcp/${40_000 + start}`
    d.learn(shed, [A])
    d.meet(shed)
    await clock.advance(seconds(2))
    d.answered(shed, A)
    for (let start = 0; start < 20; start++) expect(d.tells(shed, [portOf(start)])).toBe(true)
    expect(d.tells(shed, [portOf(19)])).toBe(false)
    expect(d.addressesOf(shed)).toEqual([A, portOf(19)])
    connected.delete(shed)
    delete there[A]
    dialled.length = 0
    d.miss(shed)
    await clock.advance(seconds(60))
    expect(new Set(dialled)).toEqual(new Set([A, portOf(19)]))
    expect(said.filter(text => text.includes('do not answer'))).toEqual([])
  })
})
