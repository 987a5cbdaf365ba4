import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import type { NodeProcess } from '../../src/testing/node-process.ts'
import { cam as camIn, checkSink, DATA, open, tasksOf } from '../cluster-of-tensors.ts'
import { cluster, end, inviteOf, keeps, meets, says, tributary, until } from '../member-nodes.ts'
import { start } from '../started-nodes.ts'

// Each has a handful of processes, which come and go.
vi.setConfig({ testTimeout: 600_000 })

describe('an invite', () => {
  test('that is good once lets one device in, also after restarts, through a member that may not admit', async () => {
    const { node, stateOf } = await cluster()
    const shed = await node('shed')
    const once = await inviteOf(stateOf('shed'), '--once')
    const porch = await node('porch', '--join', once)
    await meets(porch, 'shed', 'porch')
    const attic = await node('attic', '--join', once)
    expect(await attic.ended).toBe(2)
    expect(attic.log()).toMatch(/not let in: the invite was good once, and another device has used it/)
    await Promise.all([keeps(stateOf('shed'), 'porch'), keeps(stateOf('porch'), 'shed')])
    await end(shed, porch)
    const [shedAgain, porchAgain] = [await node('shed'), await node('porch')] // needs none any more
    await meets(porchAgain, 'shed', 'porch')
    const cellar = await node('cellar', '--join', once)
    await says(cellar, /another device has used it/)
    // Only porch is known to this one: it asks shed.
    const porchAt = String(((await porchAgain.event('listening'))['addresses'] as string[])[0])
    const second = await inviteOf(stateOf('shed'), '--for', 'loft')
    const loft = await node('loft', '--join', second, '--join', porchAt)
    await Promise.all([meets(loft, 'shed', 'porch', 'loft'), meets(shedAgain, 'shed', 'porch', 'loft')])
  })

  test('says why it is not good: expired, for another device, changed on its way', async () => {
    const { node, stateOf } = await cluster()
    const shed = await node('shed')
    const short = await inviteOf(stateOf('shed'), '--expires', '1s')
    const named = await inviteOf(stateOf('shed'), '--for', 'porch')
    const attic = await node('attic', '--join', named)
    expect(await attic.ended).toBe(2)
    expect(attic.log()).toMatch(/the invite of this device is for the name porch, and it is called attic/)
    const { expires } = JSON.parse(await inviteOf(stateOf('shed'), '--expires', '1s', '--json'))
    await until(
      () => Date.now() / 1000 > expires,
      () => 'it does not expire'
    )
    const late = await node('late', '--join', short)
    expect(await late.ended).toBe(2)
    expect(late.log()).toMatch(/not let in: the invite has expired: ask for another/)
    await says(shed, /it came with an invite that has expired/)
    const changed = `${named.slice(0, 60)}${named[60] === 'A' ? 'B' : 'A'}${named.slice(61)}`
    const forged = await node('forged', '--join', changed)
    expect(await forged.ended).toBe(2)
    expect(forged.log()).toMatch(/the invite .* is damaged or cut off/)
    await meets(await node('porch', '--join', named), 'shed', 'porch')
    expect(await tributary('invite', '--state', stateOf('porch')).catch(error => error.stderr)).toMatch(
      /porch: this device does not hold the cluster's key/
    )
  })
})

describe('a member that is removed while it computes', () => {
  test('loses nothing of what others sent it', async () => {
    const { cam, home: states, nodes, sink } = await open(['w1', 'w2'])
    const busy = (status: ClusterStatus) => ['w1', 'w2'].find(name => tasksOf(status, name) > 0)
    const name = busy(await cam.status(status => busy(status) !== undefined))!
    await tributary('member', 'remove', name, '--state', join(states, 'cam'))
    const removed = nodes.find(node => node.name === name)!
    await says(removed, /this device was removed from the cluster/)
    await cam.event('done')
    await checkSink(sink)
  })
})

describe('the key of a cluster that works', () => {
  test('is changed without a gap in what a source gets, and invites and keys from before are dead', async () => {
    const { cam, home: states, invite, join: joinAs, nodes, sink } = await open(['w1', 'w2'], { ready: 3 })
    const [w1, w2] = nodes as [NodeProcess, NodeProcess]
    const away = joinAs('away')
    await away.status(({ devices }) => devices.length === 4)
    await end(away)
    const state = join(states, 'cam')
    const openInvite = await inviteOf(state, '--open')
    await cam.status(status => camIn(status).completed > 2)
    const told = JSON.parse(await tributary('key', 'rotate', '--json', '--state', state))
    expect([told.stay.toSorted(), told.away]).toEqual([['away', 'cam', 'w1', 'w2'], ['away']])
    await Promise.all([w1, w2].map(one => says(one, /the cluster's key was changed/)))
    await says(joinAs('late'), /the invite is older than the cluster's key/)
    const leaked = start('leaked', ['--state', join(states, 'leaked'), '--join', openInvite])
    expect(await leaked.ended).toBe(2)
    expect(leaked.log()).toMatch(
      /not let in: the cluster's key was changed, and this device is not among those that stay/
    )
    const back = joinAs('away')
    await back.status(({ devices }) => devices.length === 4)
    await cam.event('done')
    const lines = await checkSink(sink)
    expect(lines.map(({ datum }) => datum).toSorted((a, b) => a - b)).toEqual(Array.from({ length: DATA }, (_, i) => i))
    for (const one of [cam, w1, w2]) expect(one.log()).not.toMatch(/lost (cam|w1|w2)/)
    expect(await tributary('status', '--json', '--state', join(states, 'w1'))).toContain('"answeredBy":"w1"')
    expect(invite).not.toBe(await inviteOf(state))
  })
})
