import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { JOIN_VARIABLE, readJoins } from '../cli/node/read-joins.ts'
import { seconds } from '../core/units.ts'
import { createClusterKey, readClusterKey, writeClusterKey } from '../runtime/network/cluster-key.ts'
import { createIdentity, loadOrCreateIdentity, peerIdOf } from '../runtime/network/identity.ts'
import { encodeInvite } from '../runtime/network/invite.ts'
import { ClusterRoll } from '../runtime/network/members/cluster-roll.ts'
import { showTicket } from '../runtime/network/members/ticket.ts'
import { type StateFolder, stateFolderOf } from '../runtime/state/state-folder.ts'
import { wallTime } from '../runtime/system-clock.ts'
import { resolveSecret } from './cluster-secret.ts'
import { keepMembers } from './keep-members.ts'

const identities = await Promise.all([1, 2].map(() => createIdentity()))
const id = (n: number) => peerIdOf(identities[n - 1]!)

let folder: StateFolder
let said: string[]
beforeEach(async () => {
  folder = stateFolderOf('shed', await mkdtemp(join(tmpdir(), 'tributary-secret-')))
  said = []
})
afterEach(() => rm(folder.path, { recursive: true, force: true }))

const say = (text: string): void => void said.push(text)
const key = createClusterKey()
const invite = encodeInvite({ key, addresses: ['10.0.0.1:6174', '10.0.0.2:6174'] })
const resolve = (join: readonly string[], { clusterKey = undefined as string | undefined, isMember = false } = {}) =>
  resolveSecret({ join, clusterKey, folder, isMember, say })
const joins = (join: readonly string[], joinFiles: readonly string[] = []) => readJoins({ join, joinFiles, say })

test('the first device makes the key; a later start has it, and is not the beginning of a cluster', async () => {
  const first = await resolve([])
  expect([first.isNew, first.keyFile]).toEqual([true, folder.keyFile])
  expect(await resolve([])).toEqual({ ...first, isNew: false })
})

test('a device that knows others does not make itself a new key', async () => {
  await expect(resolve([], { isMember: true })).rejects.toMatchObject({ code: 'keyLost' })
})

test('of an invite one address is enough; of addresses given one by one each is tried', async () => {
  const { ways, footing } = await resolve(['10.0.0.9:1', invite, '10.0.0.8:1'])
  expect([ways, footing]).toEqual([
    [['10.0.0.9:1'], ['10.0.0.8:1'], ['10.0.0.1:6174', '10.0.0.2:6174']],
    { kind: 'holder', key }
  ])
})

test("an invite's key is kept where the device looks for it, --cluster-key included, and no other key is replaced", async () => {
  const other = join(folder.path, 'elsewhere.key')
  await resolve([invite], { clusterKey: other })
  expect(await readClusterKey(other)).toEqual(key)
  await resolve([invite])
  expect(await readClusterKey(folder.keyFile)).toEqual(key)
  const foreign = encodeInvite({ key: createClusterKey(), addresses: [] })
  await expect(resolve([foreign])).rejects.toMatchObject({ code: 'otherCluster' })
  await expect(resolve([invite, foreign])).rejects.toMatchObject({ code: 'invitesDiffer' })
})

test.skipIf(process.platform === 'win32')('a key file that others can read is closed, and that is said', async () => {
  const file = join(folder.path, 'shared.key')
  await writeClusterKey(file, key)
  await chmod(file, 0o644)
  expect((await resolve([], { clusterKey: file })).footing).toEqual({ kind: 'holder', key })
  expect([(await stat(file)).mode & 0o777, said]).toEqual([
    0o600,
    [expect.stringMatching(/shared\.key could be read .*0644/)]
  ])
})

test('invites and addresses come from flags and files, or else from the environment, which children do not get', async () => {
  const file = join(folder.path, 'invites')
  await writeFile(file, `\n${invite}\n  10.0.0.9:6174 \n`, { mode: 0o600 })
  process.env[JOIN_VARIABLE] = 'from-environment:1'
  expect(await joins(['10.0.0.3:1'], [file])).toEqual(['10.0.0.3:1', invite, '10.0.0.9:6174'])
  expect(process.env[JOIN_VARIABLE]).toBeUndefined()
  process.env[JOIN_VARIABLE] = ` ${invite}\n10.0.0.9:6174`
  expect(await joins([])).toEqual([invite, '10.0.0.9:6174'])
  expect([process.env[JOIN_VARIABLE], await joins([])]).toEqual([undefined, []])
})

test('a file that is missing, empty or no invite is named', async () => {
  await expect(joins([], [join(folder.path, 'none')])).rejects.toThrow(/--join-file .*none: there is no such file/)
  await writeFile(join(folder.path, 'empty'), '\n')
  await expect(joins([], [join(folder.path, 'empty')])).rejects.toThrow(/--join-file .*empty: is empty; write into it/)
  await writeFile(join(folder.path, 'video'), Buffer.alloc(100_000))
  await expect(joins([], [join(folder.path, 'video')])).rejects.toThrow(/--join-file .*video: has 100000 B/)
})

test('of an invite with a ticket nothing is kept before it is used; then the certificate is, and no invite is needed', async () => {
  const holder = new ClusterRoll({ self: id(1), name: 'a', footing: { kind: 'holder', key }, wallTime })
  const ticket = holder.ticket({ name: '', once: false, lasts: seconds(60) })
  const text = encodeInvite({ ticket, addresses: ['10.0.0.1:6174'] })
  const first = await resolve([text])
  expect([first.footing, first.ways, await readdir(folder.path)]).toEqual([
    { kind: 'invited', ticket },
    [['10.0.0.1:6174']],
    []
  ])
  const save = keepMembers({ folder, keyFile: first.keyFile, say })
  const self = peerIdOf(await loadOrCreateIdentity(folder.path))
  const roll = new ClusterRoll({ self, name: 'b', footing: first.footing, wallTime, save })
  await roll.accept(await holder.certify(self, showTicket(ticket, self, id(1), 'b'), id(1)))
  for (const joins of [[], [text], ['10.0.0.9:1']])
    expect((await resolve(joins)).footing).toMatchObject({ kind: 'member', cluster: holder.cluster })
  const other = encodeInvite({ key: createClusterKey(), addresses: [] })
  await expect(resolve([other])).rejects.toMatchObject({ code: 'otherCluster' })
  // The identity was removed, as a copy is told to do: what it had is not this device's.
  const identity = join(folder.path, 'identity.key')
  await rename(identity, `${identity}.away`)
  for (const isAnother of [false, true]) {
    if (isAnother) await loadOrCreateIdentity(folder.path)
    expect((await resolve([text])).footing).toEqual({ kind: 'invited', ticket })
    await expect(resolve([])).rejects.toMatchObject({
      code: 'keyLost',
      message: expect.stringMatching(/another identity/)
    })
  }
  await rename(`${identity}.away`, identity)
  expect((await resolve([invite])).footing).toEqual({ kind: 'holder', key })
})

test('a new key is kept where the former was; beside it, where that is not to be written', async () => {
  const own = join(folder.path, 'given.key')
  await writeClusterKey(own, key)
  const rollAt = async (keyFile: string) => {
    const { footing, kept } = await resolve([], { clusterKey: own })
    return new ClusterRoll({
      ...{ self: id(1), name: 'a', footing, kept, wallTime },
      save: keepMembers({ folder, keyFile, say })
    })
  }
  const next = createClusterKey()
  await (await rollAt(own)).rotate(next)
  expect((await resolve([], { clusterKey: own })).footing).toEqual({ kind: 'holder', key: next })
  const last = createClusterKey()
  await (await rollAt(join(own, 'none'))).rotate(last) // no folder: as a file system that is read-only
  expect((await resolve([], { clusterKey: own })).footing).toEqual({ kind: 'holder', key: last })
  expect(said.join()).toMatch(/the cluster's new key is in .*cluster\.key.*holds the key that the cluster had before/)
})

test('a key that was changed is kept before the former one is touched; where it cannot take its place, a start has it all the same', async () => {
  await resolve([])
  const former = await readClusterKey(folder.keyFile)
  const roll = new ClusterRoll({
    ...{ self: id(1), name: 'shed', footing: { kind: 'holder', key: former }, wallTime },
    save: keepMembers({ folder, keyFile: folder.keyFile, say })
  })
  await roll.saved()
  // Members cannot be kept: a folder is in their file's place.
  const members = join(folder.path, 'members.json')
  await rename(members, `${members}.away`)
  await mkdir(join(members, 'in the way'), { recursive: true })
  await expect(roll.rotate(createClusterKey())).rejects.toThrow()
  expect(await readClusterKey(folder.keyFile)).toEqual(former)
  await rm(members, { recursive: true })
  await rename(`${members}.away`, members)
  expect((await resolve([])).footing).toEqual({ kind: 'holder', key: former })
  // The key's own file cannot be replaced: the former one cannot be put aside.
  await mkdir(join(`${folder.keyFile}.former`, 'in the way'), { recursive: true })
  const next = createClusterKey()
  await roll.rotate(next)
  expect(await readClusterKey(folder.keyFile)).toEqual(former)
  expect((await resolve([])).footing).toEqual({ kind: 'holder', key: next })
  await roll.saved()
})
