import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeInvite, encodeInvite } from '../../src/runtime/network/invite.ts'
import { freePort } from '../../src/testing/mosquitto.ts'
import { MAIN, type NodeProcess, runNodeProcess, startNode } from '../../src/testing/node-process.ts'
import { keeps, meets, says, until } from '../member-nodes.ts'

// Devices as they live: switched off and on without mDNS, started from copied cards, with wrong clocks, on machines
// that others use too. Real processes on loopback.

const run = promisify(execFile)
const alive: NodeProcess[] = []
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-reboot-'))
})
afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL')
  await Promise.all(alive.splice(0).map(node => node.ended))
  await rm(folder, { recursive: true, force: true })
})

const stateOf = (name: string): string => join(folder, name)
const keep = (node: NodeProcess): NodeProcess => {
  alive.push(node)
  return node
}
const start = (name: string, flags: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): NodeProcess =>
  keep(startNode(name, ['--state', stateOf(name), ...flags], environment))

const at = (port: number): string[] => ['--listen', `127.0.0.1:${port}`]

const inviteOf = async (node: NodeProcess): Promise<string> => String((await node.event('listening'))['invite'])
const tributary = (...flags: string[]) =>
  run(process.execPath, [MAIN, ...flags]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr })
  )

describe('a cluster without mDNS that was switched off', () => {
  test('finds together again, whoever comes first, and its invite is still good', async () => {
    const [p0, p1, p2] = [await freePort(), await freePort(), await freePort()]
    const shed = start('shed', at(p0))
    const invite = await inviteOf(shed)
    const file = join(folder, 'invite')
    await writeFile(file, `${invite}\n`, { mode: 0o600 })
    const porch = start('porch', at(p1), { TRIBUTARY_JOIN: invite })
    const attic = start('attic', [...at(p2), '--join-file', file])
    await meets(porch, 'shed', 'porch', 'attic')
    await Promise.all([
      keeps(stateOf('porch'), 'shed', 'attic'),
      keeps(stateOf('attic'), 'shed', 'porch'),
      keeps(stateOf('shed'), 'porch')
    ])
    for (const { child } of [shed, porch, attic]) child.kill('SIGKILL') // a power cut
    await Promise.all([shed.ended, porch.ended, attic.ended])

    // Both knew each other through the one that stays off.
    const porchAgain = start('porch', at(p1))
    await porchAgain.event('listening')
    expect(porchAgain.log()).toMatch(
      /waiting for its cluster: trying 2 devices that it knows \((attic, shed|shed, attic)\)/
    )
    expect(porchAgain.log()).not.toContain('a new cluster')
    start('attic', at(p2))
    await meets(porchAgain, 'porch', 'attic')
    start('shed', at(p0))
    await meets(porchAgain, 'shed', 'porch', 'attic')
    const cellar = start('cellar', ['--join', invite])
    await meets(cellar, 'shed', 'porch', 'attic', 'cellar')
  })

  test('has an invite that names the others too, and says when the device is down', async () => {
    const [p0, p1] = [await freePort(), await freePort()]
    const shed = start('shed', at(p0))
    const porch = start('porch', [...at(p1), '--join', await inviteOf(shed)])
    await meets(shed, 'shed', 'porch')
    await keeps(stateOf('shed'), 'porch')
    const up = await tributary('invite', '--state', stateOf('shed'), '--json')
    expect(JSON.parse(up.stdout)).toMatchObject({ running: true, addresses: [`127.0.0.1:${p0}`, `127.0.0.1:${p1}`] })
    expect(up.stderr).toBe('')
    shed.child.kill('SIGKILL') // what it left behind says that it runs
    await shed.ended
    const down = await tributary('invite', '--state', stateOf('shed'))
    expect([down.code, down.stderr]).toEqual([
      0,
      expect.stringMatching(/^tributary: good for .*\ntributary: shed is down: .*tributary node --name shed --state/)
    ])
    expect(down.stderr.trimEnd().split('\n')).toHaveLength(2)
    // Porch is there, and may not admit: it is good when shed is back, or where it has the key itself.
    const cellar = start('cellar', ['--join', down.stdout.trim()])
    const open = await tributary('invite', '--open', '--state', stateOf('shed'))
    const attic = start('attic', ['--join', open.stdout.trim()])
    await Promise.all([meets(cellar, 'porch', 'attic', 'cellar'), meets(porch, 'porch', 'attic', 'cellar')])
    await meets(attic, 'porch', 'attic', 'cellar')
  })

  test('does not get another key when its own is gone', async () => {
    const shed = start('shed')
    const porch = start('porch', ['--join', await inviteOf(shed)])
    await keeps(stateOf('porch'), 'shed')
    porch.child.kill('SIGKILL')
    await porch.ended
    await rm(join(stateOf('porch'), 'members.json'))
    const refused = start('porch')
    expect(await refused.ended).toBe(2)
    expect(refused.log()).toMatch(/cluster\.key is gone, or members\.json.*give it an invite/)
  })
})

describe('addresses and ports', () => {
  test('a first address that swallows everything does not hold the others up', async () => {
    const shed = start('shed')
    const given = decodeInvite(await inviteOf(shed))
    const hole = createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise(resolve => hole.once('listening', resolve))
    const { port } = hole.address() as { port: number }
    const invite = encodeInvite({
      ...given,
      addresses: [...Array(5).fill(`127.0.0.1:${port}`), ...given.addresses]
    })
    const porch = start('porch', ['--join', invite])
    await porch.event('listening')
    const began = performance.now()
    await meets(porch, 'shed', 'porch')
    expect(performance.now() - began).toBeLessThan(5500) // one such address alone takes six seconds
    hole.close()
  })

  test('a port in use is said at once; the next one is taken when that is asked for, and kept', async () => {
    const port = await freePort()
    const [shed, porch] = [start('shed', ['--port', `${port}`]), 'porch']
    await shed.event('listening')
    const refused = start(porch, ['--port', `${port}`])
    expect(await refused.ended).toBe(2)
    expect(refused.log()).toMatch(new RegExp(`port ${port} is in use.*--port N.*--any-port`))
    expect(refused.log().trimEnd().split('\n')).toHaveLength(1)
    const next = start(porch, ['--port', `${port}`, '--any-port'])
    const { addresses } = (await next.event('listening')) as { addresses: string[] }
    const taken = Number(/\/tcp\/(\d+)/.exec(addresses[0]!)![1])
    expect(taken).toBeGreaterThan(port)
    for (const node of [shed, next]) {
      node.child.kill('SIGTERM')
      await node.ended
    }
    const again = start(porch, ['--port', `${port}`, '--any-port'])
    expect(((await again.event('listening')) as { addresses: string[] }).addresses).toEqual(addresses)
  })
})

describe('clocks', () => {
  /** Every clock that a program of JavaScript can ask, so many days off. */
  const shifted = (days: number): NodeJS.ProcessEnv => {
    const code = `const real = Date, by = ${days * 24 * 3600 * 1000};
      globalThis.Date = class extends real {
        constructor(...given) { given.length === 0 ? super(real.now() + by) : super(...given) }
        static now() { return real.now() + by }
      }`
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
  }

  test('of a day before and of 1970 do not keep a device out', async () => {
    const shed = start('shed')
    const invite = await inviteOf(shed)
    start('porch', ['--join', invite], shifted(-1))
    start('attic', ['--join', invite], shifted(-(Date.now() / (24 * 3600 * 1000))))
    start('cellar', ['--join', invite], shifted(+2))
    await meets(shed, 'shed', 'porch', 'attic', 'cellar')
  })
})

describe('devices that are copies', () => {
  test('with one identity are noticed and named, and one of them is told what to do', async () => {
    const shed = start('shed')
    const invite = await inviteOf(shed)
    const porch = start('porch', ['--join', invite])
    await meets(shed, 'shed', 'porch')
    await cp(stateOf('porch'), stateOf('copy'), { recursive: true })
    await rm(join(stateOf('copy'), 'device.lock'))
    const copy = keep(startNode('copy', ['--state', stateOf('copy'), '--join', invite]))
    const told =
      /has the identity of this one: .*this device is left out of the cluster\. Stop it, remove (\S+identity\.key), start it again, with an invite/
    const toRemove = (): string | undefined => told.exec(porch.log() + copy.log())?.[1]
    await until(
      () => toRemove() !== undefined,
      () => `nobody is told what to remove:\n${porch.log()}${copy.log()}`
    )
    const remove = toRemove()!
    expect([stateOf('porch'), stateOf('copy')].map(state => join(state, 'identity.key'))).toContain(remove)
    await says(shed, /two devices have the identity \.\.\.\w{8} \((porch|copy)\), one at 127\.0\.0\.1/)
    // What it says is what helps.
    const goes = remove.startsWith(stateOf('porch')) ? porch : copy
    goes.child.kill('SIGTERM')
    await goes.ended
    await rm(remove)
    keep(startNode(goes.name, ['--state', stateOf(goes.name), '--join', invite]))
    await meets(shed, 'shed', 'porch', 'copy')
  })

  test('with one name are told apart', async () => {
    const shed = start('shed')
    const invite = await inviteOf(shed)
    keep(startNode('pi', ['--state', stateOf('one'), '--join', invite]))
    keep(startNode('pi', ['--state', stateOf('two'), '--join', invite]))
    const { devices } = await shed.status(({ devices: found }) => found.length === 3)
    const pis = devices.filter(({ name }) => name !== 'shed')
    expect(pis.map(({ name, id }) => name === `pi#${id.slice(-8)}`)).toEqual([true, true])
    await says(shed, /2 devices are called pi \(pi#\w{8}; pi#\w{8}\): start all but one under another name/)
  })
})

describe('what others on the machine can see', () => {
  const key = /tributary[12]:[\w-]{20,}/

  test('is nothing of the invite: not in files, not in arguments, not in logs or events', async () => {
    const plain = ['--listen', '127.0.0.1:0', '--no-mdns', '--exit-with-parent', '--json-events']
    const shed = keep(runNodeProcess('shed', [...plain, '--state', stateOf('shed')]))
    const listening = await shed.event('listening')
    expect(JSON.stringify(listening)).not.toMatch(key)
    expect(shed.log()).toMatch(/a new cluster; tributary invite --state .* prints what others join it with/)
    const { stdout } = await tributary('invite', '--state', stateOf('shed'))
    const invite = stdout.trim()
    const porch = keep(runNodeProcess('porch', [...plain, '--state', stateOf('porch'), '--join', invite]))
    await meets(porch, 'shed', 'porch')
    const decoded = decodeInvite(invite)
    if ('key' in decoded) throw new Error('the key itself is in the invite')
    const secret = Buffer.from(decoded.ticket.secret).toString('base64url')
    for (const node of [shed, porch]) {
      expect(node.log()).not.toMatch(key)
      if (process.platform === 'linux')
        expect(await readFile(`/proc/${node.child.pid}/cmdline`, 'utf8')).not.toMatch(key)
      const state = stateOf(node.name)
      for (const entry of await readdir(state, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name)
        expect([path, ((await stat(path)).mode & 0o077).toString(8)]).toEqual([path, '0'])
        if (entry.isFile()) expect(await readFile(path, 'utf8')).not.toContain(secret)
      }
      expect((await stat(state)).mode & 0o077).toBe(0)
    }
  })

  test('an invite comes from standard input, too', async () => {
    const shed = start('shed')
    const invite = await inviteOf(shed)
    const porch = start('porch', ['--join', '-'])
    porch.child.stdin!.write(`${invite}\n`)
    await meets(porch, 'shed', 'porch')
  })

  test('an intruder is not said to be right', async () => {
    const [shed, other] = [start('shed'), start('other')]
    const { addresses } = (await shed.event('listening')) as { addresses: string[] }
    const wrong = decodeInvite(await inviteOf(other))
    const intruder = start('intruder', ['--join', encodeInvite({ ...wrong, addresses })])
    await intruder.event('listening')
    await says(shed, /refused \w{8}: it came with the key of another cluster/)
    await says(intruder, /refused \w{8}: it belongs to another cluster.*use its invite/)
    expect(shed.log()).not.toMatch(/your key|refused us/)
  })
})

test('two sources of one name on a node are refused', async () => {
  const cam = start('cam', [
    ...['--source', 'cam=synthetic:5', '--source', 'cam=synthetic:7', '--sink', join(folder, 'sink.jsonl')]
  ])
  expect(await cam.ended).toBe(2)
  expect(cam.log()).toMatch(/--source cam: another source has that name; give each a name of its own/)
})
