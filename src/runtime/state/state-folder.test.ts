import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import {
  nextIncarnation,
  openStateFolder,
  readDevice,
  readRunning,
  removeRunning,
  stateFolderOf,
  writeRunning
} from './state-folder.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tributary-state-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8)
const open = async (path: string): Promise<string[]> => {
  const said: string[] = []
  await openStateFolder(stateFolderOf('shed', path), text => said.push(text))
  return said
}

describe.skipIf(process.platform === 'win32')('a state folder', () => {
  it('is made for its owner only, whatever the umask', async () => {
    const before = process.umask(0)
    try {
      expect(await open(join(home, 'a', 'state'))).toEqual([])
    } finally {
      process.umask(before)
    }
    const paths = ['', 'blobs', 'sources', 'models'].map(name => join(home, 'a', 'state', name))
    expect(await Promise.all(paths.map(modeOf))).toEqual(['700', '700', '700', '700'])
  })

  it('of an earlier version is closed at the start, with what is in it, and that is said', async () => {
    const state = join(home, 'state')
    await mkdir(join(state, 'blobs'), { recursive: true })
    for (const name of ['identity.key', 'cluster.key', 'running.json', 'incarnation'])
      await writeFile(join(state, name), '1')
    for (const path of [state, join(state, 'blobs')]) await chmod(path, 0o755)
    await chmod(join(state, 'cluster.key'), 0o644)
    await chmod(join(state, 'identity.key'), 0o600)
    const said = await open(state)
    expect(said).toHaveLength(3)
    expect(said.join('\n')).toMatch(
      /state was open to other users .*0755[\s\S]*blobs was open[\s\S]*cluster\.key could be read by other users .*0644.*begin a new cluster/
    )
    for (const name of ['identity.key', 'cluster.key', 'running.json', 'incarnation'])
      expect(await modeOf(join(state, name))).toBe('600')
    expect([await modeOf(state), await modeOf(join(state, 'blobs'))]).toEqual(['700', '700'])
    expect(await open(state)).toEqual([])
  })

  it("that holds what is not a device's keeps its mode, but not where everybody may write", async () => {
    const state = join(home, 'shared')
    await mkdir(state)
    await writeFile(join(state, 'thesis.txt'), '')
    await chmod(state, 0o755)
    expect(await open(state)).toEqual([])
    expect([await modeOf(state), await modeOf(join(state, 'sources'))]).toEqual(['755', '700'])
    await chmod(state, 0o777)
    await rm(join(state, 'blobs'), { recursive: true })
    const refused = open(state)
    await expect(refused).rejects.toThrow(UserError)
    await expect(refused).rejects.toThrow(/every user .* may write there \(mode 777\).*chmod 700/)
    await chmod(state, 0o1777) // as /tmp: nobody can replace another's file
    expect(await open(state)).toEqual([])
  })

  it('keeps how the device was reached after it has stopped, and nothing secret', async () => {
    const folder = stateFolderOf('shed', home)
    const device = { name: 'shed', id: 'x', addresses: ['/ip4/10.0.0.1/tcp/6174'], keyFile: '/k' }
    await writeRunning(folder, { ...device, pid: 7 })
    expect(await readRunning(folder)).toEqual({ ...device, pid: 7 })
    await removeRunning(folder)
    expect([await readRunning(folder), await readDevice(folder)]).toEqual([undefined, device])
    expect(await modeOf(join(home, 'device.json'))).toBe('600')
    await writeFile(join(home, 'device.json'), '{"name":')
    expect(await readDevice(folder)).toBeUndefined()
  })

  it('counts the starts', async () => {
    const folder = stateFolderOf('shed', home)
    expect([await nextIncarnation(folder), await nextIncarnation(folder)]).toEqual([1, 2])
    await writeFile(join(home, 'incarnation'), 'rubbish')
    expect(await nextIncarnation(folder)).toBe(1)
    expect(await modeOf(join(home, 'incarnation'))).toBe('600')
  })
})
