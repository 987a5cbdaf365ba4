import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { freePort } from '../../src/testing/mosquitto.ts'
import { MAIN, type NodeProcess } from '../../src/testing/node-process.ts'
import { cam as camIn, checkSink, DATA, open, tasksOf } from '../cluster-of-tensors.ts'
import { start } from '../started-nodes.ts'

// Each has a handful of processes, which come and go.
vi.setConfig({ testTimeout: 600_000 })

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tributary-members-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

let clusters = 0
/** Devices of one cluster, that come back where they were. */
const cluster = async () => {
  const folder = join(home, `cluster-${clusters++}`)
  const ports = new Map<string, number>()
  const stateOf = (name: string): string => join(folder, name)
  const node = async (name: string, ...flags: string[]): Promise<NodeProcess> => {
    const port = ports.get(name) ?? (await freePort())
    ports.set(name, port)
    const started = start(name, ['--state', stateOf(name), '--listen', `127.0.0.1:${port}`, ...flags])
    await Promise.race([started.event('listening'), started.ended])
    return started
  }
  return { stateOf, node }
}

const tributary = async (...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args])
  return stdout.trim()
}
const inviteOf = (state: string, ...terms: string[]): Promise<string> => tributary('invite', '--state', state, ...terms)

const until = async (holds: () => boolean, what: () => string): Promise<void> => {
  const deadline = performance.now() + 60_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`in vain: ${what()}`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}
const says = (node: NodeProcess, words: RegExp): Promise<void> =>
  until(
    () => words.test(node.log()),
    () => `${node.name} does not say ${words}:\n${node.log()}`
  )
const meets = (node: NodeProcess, ...names: string[]) =>
  node.status(
    ({ devices }) =>
      devices
        .map(({ name }) => name)
        .sort()
        .join() === [...names].sort().join()
  )
const end = async (...nodes: NodeProcess[]): Promise<void> => {
  for (const { child } of nodes) child.kill('SIGKILL')
  await Promise.all(nodes.map(({ ended }) => ended))
}

describe('an invite', () => {
  test('that is good once lets one device in, also after restarts, through a member that may not admit', async () => {
    const { node, stateOf } = await cluster()
    const shed = await node('shed')
    const once = await inviteOf(stateOf('shed'), '--once')
    const porch = await node('porch', '--join', once)
    await meets(porch, 'shed', 'porch')
    const attic = await node('attic', '--join', once)
    await says(attic, /it refused us: the invite was good once, and another device has used it/)
    await end(shed, attic, porch)
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
    await says(await node('attic', '--join', named), /it refused us: the invite is for a device of another name/)
    const { expires } = JSON.parse(await inviteOf(stateOf('shed'), '--expires', '1s', '--json'))
    await until(
      () => Date.now() / 1000 > expires,
      () => 'it does not expire'
    )
    await says(await node('late', '--join', short), /it refused us: the invite has expired/)
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

describe('a member that is removed', () => {
  test('is out everywhere within a second, and stays out after all were started anew', async () => {
    const { node, stateOf } = await cluster()
    let shed = await node('shed')
    const invite = await inviteOf(stateOf('shed'))
    let attic = await node('attic', '--join', invite)
    const tablet = await node('tablet', '--join', invite)
    const all = ['shed', 'attic', 'tablet']
    await Promise.all([shed, attic, tablet].map(one => meets(one, ...all)))
    const before = JSON.parse(await tributary('member', 'list', '--json', '--state', stateOf('attic')))
    expect(
      before.members.map((m: { name: string; mayAdmit: boolean; connected: boolean }) => [
        m.name,
        m.mayAdmit,
        m.connected
      ])
    ).toEqual([
      ['attic', false, true],
      ['shed', true, true],
      ['tablet', false, true]
    ])
    await expect(tributary('member', 'remove', 'tablet', '--state', stateOf('attic'))).rejects.toMatchObject({
      stderr: expect.stringMatching(/only who holds the cluster's key may do that/)
    })
    expect(await tributary('member', 'remove', 'tablet', '--state', stateOf('shed'))).toMatch(
      /^tablet \(12D3\w+\) is removed$/
    )
    await says(tablet, /this device was removed from the cluster/)
    await Promise.all([meets(shed, 'shed', 'attic'), meets(attic, 'shed', 'attic'), meets(tablet, 'tablet')])
    const { removed } = JSON.parse(await tributary('member', 'list', '--json', '--state', stateOf('attic')))
    expect(removed.map(({ name }: { name: string }) => name)).toEqual(['tablet'])

    await end(shed, attic, tablet)
    ;[shed, attic] = [await node('shed'), await node('attic')]
    const refused = await node('tablet')
    expect(await refused.ended).toBe(2)
    expect(refused.log()).toMatch(/this device was removed from its cluster; to come back it needs an invite/)
    // It forgets that it was, takes another name, and has a good invite: its id is known.
    await rm(join(stateOf('tablet'), 'members.json'))
    const other = start('other', ['--state', stateOf('tablet'), '--listen', '127.0.0.1:0', '--join', invite])
    await says(other, /this device was removed from the cluster/)
    await meets(attic, 'shed', 'attic')
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
    await says(leaked, /the cluster's key was changed, and this device is not among those that stay/)
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

describe('what is secret', () => {
  test('is in no log, status, event, argument or file but those that are for it', async () => {
    const { node, stateOf } = await cluster()
    const debug = (name: string) => ['--log-format', 'json', '--log-file', join(home, `secret-${name}.log`)]
    const shed = await node('shed', '--dashboard', '127.0.0.1:0', '--metrics', '127.0.0.1:0', ...debug('shed'))
    const invite = String((await shed.event('listening'))['invite'])
    const porch = await node('porch', '--join', await inviteOf(stateOf('shed')), ...debug('porch'))
    await meets(porch, 'shed', 'porch')
    const secrets = await secretsIn(stateOf('shed'), stateOf('porch'))
    secrets.push(['the invite', invite.split(':')[1]!])
    const written = [
      ...['shed', 'porch'].map(name => [`the log of ${name}`, join(home, `secret-${name}.log`)] as const),
      ...(await Promise.all(['shed', 'porch'].map(name => filesIn(stateOf(name))))).flat()
    ]
    const texts: (readonly [string, Buffer])[] = await Promise.all(
      written.map(async ([what, file]) => [what, await readFile(file)] as const)
    )
    texts.push(['stderr of porch', Buffer.from(porch.log())])
    for (const name of ['shed', 'porch'])
      for (const ask of [['status'], ['member', 'list']])
        texts.push([`${ask} of ${name}`, Buffer.from(await tributary(...ask, '--json', '--state', stateOf(name)))])
    texts.push(['--print-config', Buffer.from(await tributary('node', '--join', invite, '--print-config'))])
    texts.push(['events of shed', Buffer.from(JSON.stringify(await shed.status(() => true)))])
    texts.push([
      'metrics',
      Buffer.from(await (await fetch(new URL('/metrics', String((await shed.event('metrics'))['url'])))).text())
    ])
    texts.push(['the page', await firstPiece(new URL('/api/live', String((await shed.event('dashboard'))['url'])))])
    for (const { child, name } of [shed, porch])
      for (const pid of [child.pid!, ...(await childrenOf(child.pid!))])
        texts.push([`arguments of ${name}, process ${pid}`, await readFile(`/proc/${pid}/cmdline`)])
    const found = texts.flatMap(([where, text]) =>
      secrets.filter(([, secret]) => text.includes(secret)).map(([what]) => `${what} in ${where}`)
    )
    expect(found).toEqual([])
    expect(secrets.length).toBeGreaterThan(6)
  })
})

/** Of a page's live feed. */
const firstPiece = async (url: URL): Promise<Buffer> => {
  const { body } = await fetch(url)
  const reader = body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return Buffer.from(value!)
}

const childrenOf = async (pid: number): Promise<number[]> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean).map(Number)

const OWN = ['cluster.key', 'identity.key']

/** Each in the ways in which it may be written. */
const secretsIn = async (...states: readonly string[]): Promise<[string, string][]> => {
  const found: [string, string][] = []
  for (const state of states)
    for (const name of OWN) {
      const bytes = await readFile(join(state, name)).catch(() => undefined)
      if (bytes === undefined) continue
      const text = bytes.toString('latin1').trim()
      const raw = text.startsWith('tributary-key1:') ? Buffer.from(text.slice(15), 'base64url') : bytes.subarray(4, 36)
      for (const as of ['hex', 'base64url', 'base64', 'latin1'] as const)
        found.push([`${name} of ${state} as ${as}`, raw.toString(as).replace(/=+$/, '')])
    }
  return found
}

/** All that a device wrote into its state, closed to others, but where its secrets are. */
const filesIn = async (state: string): Promise<(readonly [string, string])[]> => {
  const entries = await readdir(state, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  for (const path of [state, ...entries.map(entry => join(entry.parentPath, entry.name))])
    expect([path, ((await stat(path)).mode & 0o077).toString(8)]).toEqual([path, '0'])
  return files.filter(file => !OWN.some(name => file.endsWith(name))).map(file => [file, file] as const)
}
