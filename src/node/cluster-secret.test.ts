import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { JOIN_VARIABLE, readJoins } from '../cli/node/read-joins.ts'
import { createClusterKey, readClusterKey, writeClusterKey } from '../runtime/network/cluster-key.ts'
import { encodeInvite } from '../runtime/network/invite.ts'
import { type StateFolder, stateFolderOf } from '../runtime/state/state-folder.ts'
import { resolveSecret } from './cluster-secret.ts'

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
  const { ways, key: found } = await resolve(['10.0.0.9:1', invite, '10.0.0.8:1'])
  expect([ways, found]).toEqual([[['10.0.0.9:1'], ['10.0.0.8:1'], ['10.0.0.1:6174', '10.0.0.2:6174']], key])
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
  expect((await resolve([], { clusterKey: file })).key).toEqual(key)
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
