import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { notice } from '../../src/runtime/device/notice.ts'
import { openHostileMember } from '../../src/testing/hostile-member.ts'
import type { NodeProcess } from '../../src/testing/node-process.ts'
import { cluster, end, home, inviteOf, meets, says, tributary, until } from '../member-nodes.ts'
import { start } from '../started-nodes.ts'

// Each has a handful of processes, which come and go.
vi.setConfig({ testTimeout: 600_000 })

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
    const good = await inviteOf(stateOf('shed'))
    const other = start('other', ['--state', stateOf('tablet'), '--listen', '127.0.0.1:0', '--join', good])
    await says(other, /this device was removed from the cluster/)
    await meets(attic, 'shed', 'attic')
    // What begins anew under its name is another device: it comes in by an invite that was made since.
    await end(other)
    await rm(stateOf('tablet'), { recursive: true })
    const again = await node('tablet', '--join', await inviteOf(stateOf('shed'), '--for', 'tablet'))
    await meets(again, 'shed', 'attic', 'tablet')
    // Who was removed has no certificate of another key, so nobody needs to remember that it was.
    const rotated = JSON.parse(await tributary('key', 'rotate', '--json', '--state', stateOf('shed')))
    expect([rotated.stay.toSorted(), rotated.away]).toEqual([['attic', 'shed', 'tablet'], []])
    await says(attic, /the cluster's key was changed/)
    const after = JSON.parse(await tributary('member', 'list', '--json', '--state', stateOf('attic')))
    expect([after.members.map(({ name }: { name: string }) => name), after.removed]).toEqual([
      ['attic', 'shed', 'tablet'],
      []
    ])
  })
})

describe('a device whose invite is good no more', () => {
  test('ends with exit code 2 and what to do, and one whose door is shut for now goes on trying', async () => {
    const { node, stateOf } = await cluster()
    const shed = await node('shed')
    const [open, once, named] = await Promise.all([
      inviteOf(stateOf('shed')),
      inviteOf(stateOf('shed'), '--once'),
      inviteOf(stateOf('shed'), '--for', 'porch')
    ])
    const tablet = await node('tablet', '--join', once)
    await meets(tablet, 'shed', 'tablet')
    const used = await node('second', '--join', once)
    const misnamed = await node('cellar', '--join', named)
    expect(await Promise.all([used.ended, misnamed.ended])).toEqual([2, 2])
    const another = /ask for another \(tributary invite prints one on a device that may admit\)$/
    expect(lastLine(used)).toMatch(/^tributary: this device is not let in: the invite was good once, and another/)
    expect(lastLine(used)).toMatch(another)
    expect(lastLine(misnamed)).toBe(
      'tributary: the invite of this device is for the name porch, and it is called cellar: start it with --name porch, or with another invite and another --state'
    )
    await tributary('member', 'remove', 'tablet', '--state', stateOf('shed'))
    await tributary('key', 'rotate', '--state', stateOf('shed'))
    const old = await node('attic', '--join', open)
    expect([await old.ended, lastLine(old)]).toEqual([
      2,
      expect.stringMatching(/not let in: the invite is older than the cluster's key: ask for another \(/)
    ])
    const fresh = await inviteOf(stateOf('shed'))
    await end(shed)
    const patient = await node('patient', '--join', fresh)
    await says(patient, /does not answer yet .*; trying on/)
    await node('shed')
    await meets(patient, 'shed', 'patient')
  })
})

describe('a device whose invite was for a name', () => {
  test('is heard by that from the first moment, and by no other, also after it was started again and the key was changed', async () => {
    const { node, stateOf } = await cluster()
    const shed = await node('shed')
    const folder = join(home, 'as-another')
    const comes = async () =>
      openHostileMember(await inviteOf(stateOf('shed'), '--for', 'porch'), folder, { name: 'porch' })
    {
      await using mallory = await comes()
      const say = (name: string): void => {
        for (const peer of mallory.network.peers().keys())
          mallory.network.notify(peer, notice('state', mallory.state({ name })))
      }
      const isIn = (): boolean => mallory.network.peers().size === 1
      await until(isIn, () => 'mallory is not in')
      say('shed')
      await says(shed, /a state of \w{8} is not heard: it calls itself shed, and its invite was for porch/)
      say('porch')
      await says(shed, /info shed: porch is there/)
      await tributary('key', 'rotate', '--state', stateOf('shed'))
      say('cellar')
      await says(shed, /not heard: it calls itself cellar, and its invite was for porch/)
    }
    const porch = await node('loft', '--name', 'porch', '--join', await inviteOf(stateOf('shed'), '--for', 'porch'))
    await porch.status(({ devices }) => devices.some(({ name }) => name === 'shed'))
    await end(porch)
    const renamed = await node('loft')
    expect([await renamed.ended, lastLine(renamed)]).toEqual([
      2,
      'tributary: the invite of this device is for the name porch, and it is called loft: start it with --name porch, or with another invite and another --state'
    ])
  })
})

const lastLine = (node: NodeProcess): string => node.log().trimEnd().split('\n').at(-1)!

describe('what is secret', () => {
  test('is in no log, status, event, argument or file but those that are for it', async () => {
    const { node, stateOf } = await cluster()
    const debug = (name: string) => ['--log-format', 'json', '--log-file', join(home, `secret-${name}.log`)]
    const shed = await node('shed', '--dashboard', '127.0.0.1:0', '--metrics', '127.0.0.1:0', ...debug('shed'))
    const invite = String((await shed.event('listening'))['invite'])
    const reports = join(home, 'reports')
    const environment = {
      TRIBUTARY_JOIN: await inviteOf(stateOf('shed')),
      NODE_OPTIONS: `--report-on-signal --report-directory=${reports}`
    }
    await mkdir(reports)
    const where = ['--state', stateOf('porch'), '--listen', '127.0.0.1:0']
    const camera = ['--source', `cam=mqtt://me:${PASSWORD}@127.0.0.1:9/door,model=none`, '--preset', 'raw']
    camera.push('--sink', join(home, 'results.jsonl'))
    const porch = start('porch', [...where, ...camera, ...debug('porch')], environment)
    await meets(porch, 'shed', 'porch')
    const secrets = await secretsIn(stateOf('shed'), stateOf('porch'))
    secrets.push(
      ['the password', PASSWORD],
      ['the invite', invite.split(':')[1]!],
      ['the other invite', environment.TRIBUTARY_JOIN.split(':')[1]!]
    )
    const written = [
      ...['shed', 'porch'].map(name => [`the log of ${name}`, join(home, `secret-${name}.log`)] as const),
      ...(await Promise.all(['shed', 'porch'].map(name => filesIn(stateOf(name))))).flat()
    ]
    const texts: (readonly [string, Buffer])[] = await Promise.all(
      written.map(async ([what, file]) => [what, await readFile(file)] as const)
    )
    for (const one of [shed, porch]) texts.push([`stderr of ${one.name}`, Buffer.from(one.log())])
    texts.push(['a crash report', await crashReport(porch, reports)])
    for (const name of ['shed', 'porch'])
      for (const ask of [['status'], ['member', 'list']])
        texts.push([`${ask} of ${name}`, Buffer.from(await tributary(...ask, '--json', '--state', stateOf(name)))])
    texts.push(['--print-config', Buffer.from(await tributary('node', '--join', invite, ...camera, '--print-config'))])
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

/** As Node writes it where a process ends for an error, if it is told to. */
const crashReport = async ({ child }: NodeProcess, folder: string): Promise<Buffer> => {
  child.kill('SIGUSR2')
  let text = ''
  await until(
    () => {
      for (const name of readdirSync(folder)) text = readFileSync(join(folder, name), 'utf8')
      return text.trimEnd().endsWith('}')
    },
    () => `a report in ${folder}`
  )
  const { header, ...report } = JSON.parse(text)
  expect(report).toHaveProperty('environmentVariables')
  const { commandLine: _given, ...kept } = header // arguments as they were given: that is told in docs/security.md
  return Buffer.from(JSON.stringify({ header: kept, ...report }))
}

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

const PASSWORD = 'sesame-7f3a'

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
