import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { blockHash, deviceId } from '../../core/ids.ts'
import { bytes, megabitsPerSecond, milliseconds } from '../../core/units.ts'
import { linksLike } from '../../emulation/pacer.ts'
import { joined, type NetworkGroup, networkGroup, type OpenNetwork, openPair } from '../../testing/open-networks.ts'
import { openStranger } from '../../testing/stranger.ts'
import { BlobAnswerSchema, BlobRequestSchema, TaskSchema } from '../generated/tributary/v1/wire_pb.ts'
import { systemClock } from '../system-clock.ts'
import { BLOB_PROTOCOL } from './blob-protocol.ts'
import type { BlobStore } from './blob-store.ts'
import { createBlobStore } from './disk-blob-store.ts'
import { createMessagePort } from './message-port.ts'

let group: NetworkGroup
beforeEach(() => {
  group = networkGroup()
})
afterEach(() => group[Symbol.asyncDispose]())

const blob = (size: number) => {
  const content = randomBytes(size)
  return { content, size: bytes(size), hash: blockHash(createHash('sha256').update(content).digest('hex')) }
}

/** A device whose store gives `content` for whatever it is asked. */
const openLiar = async (content: Uint8Array): Promise<OpenNetwork> => {
  const folder = (await group.open()).folder
  const path = `${folder}/lie`
  await writeFile(path, content)
  const lying: BlobStore = { ...createBlobStore({ folder }), find: () => Promise.resolve(path) }
  return group.open({}, { blobStore: lying })
}

const connect = async (to: OpenNetwork, ...others: OpenNetwork[]): Promise<void> => {
  for (const other of others) other.network.join(to.address)
  await Promise.all(others.map(other => joined(to, other.self)))
}

describe('a blob', () => {
  it.each([0, 1, 65_536, 3_300_001])('of %i bytes is fetched, verified and kept', async size => {
    const { content, hash } = blob(size)
    const [a, b] = await openPair(group)
    await a.blobs.put(hash, [content])
    const path = await b.network.fetchBlob(hash, bytes(size), [a.self])
    expect(content.equals(await readFile(path))).toBe(true)
    expect(await b.blobs.find(hash)).toBe(path)
  })

  it('is fetched once for all who want it at the same time', async () => {
    const { content, hash, size } = blob(2_000_000)
    const [a, b] = await openPair(group)
    await a.blobs.put(hash, [content])
    const stop = new AbortController()
    const impatient = b.network.fetchBlob(hash, size, [a.self], stop.signal)
    const others = [1, 2, 3].map(() => b.network.fetchBlob(hash, size, [a.self]))
    stop.abort(new Error('changed my mind'))
    await expect(impatient).rejects.toThrow('changed my mind')
    expect(new Set(await Promise.all(others)).size).toBe(1)
    expect(a.network.link(b.self)?.bytesSent ?? 0).toBeLessThan(2 * 2_000_000)
  })

  it('goes on where it was stopped, and the bytes that were there are not sent again', async () => {
    const { content, hash, size } = blob(4_000_000)
    const [a, b] = await openPair(group)
    await a.blobs.put(hash, [content])
    await writeFile(b.blobs.partPath(hash), content.subarray(0, 3_900_000))
    const path = await b.network.fetchBlob(hash, size, [a.self])
    expect(content.equals(await readFile(path))).toBe(true)
    await b.network.sendTask(a.self, create(TaskSchema), []).answered
    await expect.poll(() => a.network.link(b.self)?.bytesSent, { timeout: 20_000 }).toBeDefined()
    expect(a.network.link(b.self)!.bytesSent).toBeLessThan(1_000_000)
  })

  it('for which there is no room on the disk is not asked of anybody, and what is there of it counts', async () => {
    const { content, hash, size } = blob(300_000)
    const a = await group.open()
    const rooms: number[] = []
    const { folder } = await group.open()
    const full = Object.assign(new Error('no room'), { code: 'ENOSPC', syscall: 'statfs' })
    const store = createBlobStore({ folder })
    const requireRoom = (wanted: number) => (rooms.push(wanted) > 1 ? Promise.resolve() : Promise.reject(full))
    const b = await group.open({}, { blobStore: { ...store, requireRoom } })
    await connect(a, b)
    await a.blobs.put(hash, [content])
    await writeFile(store.partPath(hash), content.subarray(0, 100_000))
    await expect(b.network.fetchBlob(hash, size, [a.self])).rejects.toThrow('cannot keep the block: no room')
    expect(await readdir(folder)).toEqual([`${hash}.part`])
    await b.network.fetchBlob(hash, size, [a.self])
    expect(rooms).toEqual([200_000, 200_000])
  })

  it('is fetched again from the start when the part on disk was wrong', async () => {
    const { content, hash, size } = blob(500_000)
    const [a, b] = await openPair(group)
    await a.blobs.put(hash, [content])
    await writeFile(b.blobs.partPath(hash), randomBytes(100_000))
    const path = await b.network.fetchBlob(hash, size, [a.self])
    expect(content.equals(await readFile(path))).toBe(true)
  })

  it('comes from the next holder when one has other bytes, another size, or nothing', async () => {
    const { content, hash, size } = blob(1_500_000)
    const [good, b] = await openPair(group)
    await good.blobs.put(hash, [content])
    const wrong = await openLiar(randomBytes(1_500_000))
    const short = await openLiar(content.subarray(0, 1000))
    const empty = await group.open()
    await connect(b, wrong, short, empty)
    const holders = [deviceId('nobody'), empty.self, short.self, wrong.self, good.self]
    const path = await b.network.fetchBlob(hash, size, holders)
    expect(content.equals(await readFile(path))).toBe(true)
    expect(b.said.filter(line => line.includes('was not fetched'))).toHaveLength(3)
  })

  it('that nobody has in truth leaves no part behind, and the reason of each holder', async () => {
    const { hash, size } = blob(200_000)
    const b = await group.open()
    const wrong = await openLiar(randomBytes(200_000))
    await connect(b, wrong)
    const fetched = b.network.fetchBlob(hash, size, [wrong.self, deviceId('gone')])
    await expect(fetched).rejects.toThrow(/hash to .* gone is not connected/)
    expect(await readdir(b.folder)).toEqual([])
    await expect(b.network.fetchBlob(hash, size, [])).rejects.toThrow(/nobody is known to have it/)
  })

  it('comes from another when its holder goes away in the middle', async () => {
    const { content, hash, size } = blob(2_500_000)
    const link = { rate: megabitsPerSecond(40), latency: milliseconds(1) }
    const [slow, b] = await openPair(group, {}, {}, { shaper: linksLike(systemClock, link) })
    const good = await group.open()
    await connect(b, good)
    await Promise.all([slow, good].map(holder => holder.blobs.put(hash, [content])))
    const fetched = b.network.fetchBlob(hash, size, [slow.self, good.self])
    await expect.poll(async () => (await readFile(b.blobs.partPath(hash)).catch(() => '')).length).toBeGreaterThan(0)
    await slow.network.stop()
    expect(content.equals(await readFile(await fetched))).toBe(true)
  })

  it('takes its time on a shaped link, and tasks get their share of it', async () => {
    const { content, hash, size } = blob(600_000)
    const link = { rate: megabitsPerSecond(40), latency: milliseconds(3) }
    const [a, b] = await openPair(
      group,
      {},
      {},
      { shaper: linksLike(systemClock, link) },
      { shaper: linksLike(systemClock, link) }
    )
    await a.blobs.put(hash, [content])
    const data = new Uint8Array(200_000)
    await a.network.sendTask(b.self, create(TaskSchema), []).answered
    const begin = performance.now()
    const took = async (work: Promise<unknown>) => {
      await work
      return performance.now() - begin
    }
    const task = a.network.sendTask(b.self, create(TaskSchema), [{ name: 'x', type: 'uint8', dims: [200_000], data }])
    const [sent, fetched] = await Promise.all([took(task.answered), took(b.network.fetchBlob(hash, size, [a.self]))])
    expect(fetched).toBeGreaterThan(160) // 800 KB at 5 MB/s share the link
    expect(sent).toBeLessThan(fetched)
  })

  it('is given in ranges within bounds only, and by a hash only', async () => {
    const { content, hash } = blob(1000)
    const a = await group.open()
    await a.blobs.put(hash, [content])
    await writeFile(`${a.folder}/secret`, 'secret')
    await using member = await openStranger()
    const connection = await member.dial(a.address)
    await member.admit(connection, group.key)
    const port = createMessagePort(await connection.newStream([BLOB_PROTOCOL]))
    const ask = async (sha256: string, offset: bigint, length: bigint) => {
      await port.write(toBinary(BlobRequestSchema, create(BlobRequestSchema, { sha256, offset, length })))
      return fromBinary(BlobAnswerSchema, await port.read(1024))
    }
    expect((await ask('../secret', 0n, 6n)).error).toMatch(/does not hold/)
    expect((await ask(`${a.folder}/secret`, 0n, 6n)).error).toMatch(/does not hold/)
    expect((await ask('0'.repeat(64), 0n, 6n)).error).toMatch(/does not hold/)
    expect((await ask(hash, 999n, 2n)).error).toMatch(/1001 of a block of 1000/)
    expect((await ask(hash, 2n ** 63n, 2n ** 20n)).error).toMatch(/of a block of 1000/)
    expect((await ask(hash, 0n, 2n ** 40n)).error).toMatch(/the limit is/)
    expect(await ask(hash, 990n, 10n)).toMatchObject({ error: '', length: 10n, total: 1000n })
    const rest: Uint8Array[] = []
    await port.readRaw(10, async piece => void rest.push(piece))
    expect(Buffer.concat(rest)).toEqual(content.subarray(990))
  })
})
