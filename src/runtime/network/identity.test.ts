import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import { createClusterKey, readClusterKey, writeClusterKey } from './cluster-key.ts'
import { loadOrCreateIdentity } from './identity.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-identity-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('an identity', () => {
  it('is made once, and is the same after a restart', async () => {
    const state = join(folder, 'new', 'state')
    const first = await loadOrCreateIdentity(state)
    expect((await loadOrCreateIdentity(state)).equals(first)).toBe(true)
  })

  it('is the same for two processes that make it at once', async () => {
    const both = await Promise.all([loadOrCreateIdentity(folder), loadOrCreateIdentity(folder)])
    const kept = await loadOrCreateIdentity(folder)
    expect(both.map(key => key.equals(kept))).toEqual([true, true])
  })

  it('is for its owner only', async () => {
    await loadOrCreateIdentity(folder)
    expect((await stat(join(folder, 'identity.key'))).mode & 0o077).toBe(0)
  })

  it('that is damaged is named, not replaced', async () => {
    const file = join(folder, 'identity.key')
    await writeFile(file, 'not a key')
    await expect(loadOrCreateIdentity(folder)).rejects.toThrow(new RegExp(`${file} is not a private key`))
    await expect(loadOrCreateIdentity(folder)).rejects.toBeInstanceOf(UserError)
    expect(await readFile(file, 'utf8')).toBe('not a key')
  })
})

describe('a cluster key', () => {
  it('survives the way through a file', async () => {
    const key = createClusterKey()
    const file = join(folder, 'a', 'cluster.key')
    await writeClusterKey(file, key)
    expect(await readClusterKey(file)).toEqual(key)
    await writeClusterKey(file, key)
  })

  it('does not overwrite another', async () => {
    const file = join(folder, 'cluster.key')
    await writeClusterKey(file, createClusterKey())
    await expect(writeClusterKey(file, createClusterKey())).rejects.toThrow(/another cluster/)
  })

  it.each(['', 'tributary-key1:AAAA', 'hello'])('is refused when the file holds "%s"', async text => {
    const file = join(folder, 'cluster.key')
    await writeFile(file, text)
    await expect(readClusterKey(file)).rejects.toThrow(UserError)
  })

  it('that is missing is named', async () => {
    await expect(readClusterKey(join(folder, 'none'))).rejects.toThrow(/cannot read the cluster key .*none/)
  })
})
