import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { createIdentity } from '../network/identity.ts'
import { type KnownPeer, MAX_PEER_ADDRESSES, MAX_PEERS, PeersFile, readPeers } from './peers-file.ts'
import { type StateFolder, stateFolderOf } from './state-folder.ts'

let folder: StateFolder
let file: string
beforeEach(async () => {
  const path = await mkdtemp(join(tmpdir(), 'tributary-peers-'))
  folder = stateFolderOf('shed', path)
  file = join(path, 'peers.json')
})
afterEach(() => rm(folder.path, { recursive: true, force: true }))

const ids = await Promise.all(
  Array.from({ length: MAX_PEERS + 5 }, async () => deviceId(`${peerIdFromPrivateKey(await createIdentity())}`))
)
const peer = (n: number, addresses: readonly string[] = [`/ip4/10.0.0.${n}/tcp/6174`]): KnownPeer => ({
  id: ids[n]!,
  name: `pi${n}`,
  addresses
})
const read = async () => {
  const said: string[] = []
  return { peers: await readPeers(folder, text => said.push(text)), said }
}

describe('the file of peers', () => {
  it('gives back what was kept, in order, for its owner only', async () => {
    const kept = [peer(2), peer(0), peer(1, ['/ip6/2001:db8::1/tcp/7000', '/ip4/10.0.0.9/tcp/443/tls/ws'])]
    await new PeersFile({ folder, clock: createManualClock(), peers: () => kept, say: () => {} })[Symbol.asyncDispose]()
    expect(await read()).toEqual({ peers: kept, said: [] })
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o077).toBe(0)
  })

  it('is written once for a burst of news, and not at all without news', async () => {
    const clock = createManualClock()
    let asked = 0
    let kept = [peer(0)]
    const peers = () => {
      asked++
      return kept
    }
    const saved = new PeersFile({ folder, clock, peers, say: () => {} })
    for (let i = 0; i < 100; i++) saved.changed()
    await clock.advance(seconds(2))
    await expect.poll(async () => (await read()).peers).toEqual(kept)
    expect(asked).toBe(1)
    await writeFile(file, 'untouched')
    saved.changed()
    await clock.advance(seconds(2))
    expect(await readFile(file, 'utf8')).toBe('untouched')
    kept = [peer(1), peer(0)]
    await saved[Symbol.asyncDispose]()
    expect((await read()).peers).toEqual(kept)
  })

  it('is bounded, in what is written and in what is believed', async () => {
    const addresses = Array.from({ length: 40 }, (_, i) => `/ip4/10.0.1.${i}/tcp/6174`)
    const many = ids.map((_, n) => peer(n, addresses))
    await new PeersFile({ folder, clock: createManualClock(), peers: () => many, say: () => {} })[Symbol.asyncDispose]()
    const { peers } = await read()
    expect([peers.length, new Set(peers.map(p => p.addresses.length))]).toEqual([
      MAX_PEERS,
      new Set([MAX_PEER_ADDRESSES])
    ])
    await writeFile(file, JSON.stringify({ peers: many }))
    expect((await read()).peers).toEqual(peers)
  })

  it('leaves out what is no device or address, and keeps the rest', async () => {
    const entries = [
      { id: 'nobody', name: 'x', addresses: ['/ip4/10.0.0.1/tcp/1'] },
      { id: ids[0], name: 7, addresses: ['nowhere', '/ip4/10.0.0.1/tcp/0', '/ip4/10.0.0.1/tcp/6174', 5, null] },
      { id: ids[1], name: 'empty', addresses: [] },
      null,
      { id: ids[0], name: 'again', addresses: ['/ip4/10.0.0.2/tcp/6174'] }
    ]
    await writeFile(file, JSON.stringify({ peers: entries }))
    expect((await read()).peers).toEqual([{ id: ids[0], name: 'again', addresses: ['/ip4/10.0.0.2/tcp/6174'] }])
  })

  it('that is missing is none; that is damaged is said, whatever it holds', async () => {
    expect(await read()).toEqual({ peers: [], said: [] })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async text => {
        await writeFile(file, text)
        const { peers, said } = await read()
        expect(peers).toEqual([])
        if (said.length > 0) expect(said).toEqual([`${file} is damaged; goes on without it`])
      }),
      { numRuns: 50 }
    )
    await writeFile(file, '{"peers":[')
    expect((await read()).said).toHaveLength(1)
  })
})
