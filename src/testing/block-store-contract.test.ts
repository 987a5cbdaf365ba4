import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blockHash } from '../core/ids.ts'
import { createBlobStore } from '../runtime/network/disk-blob-store.ts'
import type { BlockStore } from '../runtime/ports/block-store.ts'
import { createMemoryBlockStore } from './simulated/memory-block-store.ts'

interface Opened extends AsyncDisposable {
  readonly store: BlockStore
  /** What is at a place, as an engine would read it. */
  readonly read: (place: string) => Promise<Uint8Array>
  /** Another store of what this one has. */
  readonly again: () => BlockStore
}

const onDisk = async (): Promise<Opened> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-blocks-'))
  return {
    store: createBlobStore({ folder }),
    read: place => readFile(place),
    again: () => createBlobStore({ folder }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true })
  }
}

const inMemory = async (): Promise<Opened> => {
  const disk = new Map<string, Uint8Array>()
  const store = createMemoryBlockStore(disk)
  return {
    store,
    read: async place => store.bytesAt(place),
    again: () => createMemoryBlockStore(disk),
    [Symbol.asyncDispose]: async () => {}
  }
}

const block = (content: Uint8Array) => ({
  content,
  hash: blockHash(createHash('sha256').update(content).digest('hex'))
})
const pieces = async function* (content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += size) yield content.subarray(at, at + size)
}

describe.each([
  ['on disk', onDisk],
  ['in memory', inMemory]
])('a block store %s', (_, open) => {
  test('gives back what was put, at one place, from any pieces', async () => {
    await using opened = await open()
    const { store, read } = opened
    for (const size of [0, 1, 300_000]) {
      const { content, hash } = block(randomBytes(size))
      expect(await store.find(hash)).toBe(undefined)
      const place = await store.put(hash, pieces(content, 70_000))
      expect(await store.find(hash)).toBe(place)
      expect(Buffer.compare(await read(place), content)).toBe(0)
      expect(await store.put(hash, [])).toBe(place) // it has it, and looks at nothing
    }
  })

  test('keeps nothing that is not what its hash says', async () => {
    await using opened = await open()
    const { store } = opened
    const { content, hash } = block(randomBytes(1000))
    await expect(store.put(hash, [content.subarray(1)])).rejects.toThrow(`were put as ${hash}`)
    expect(await store.find(hash)).toBe(undefined)
    await store.put(hash, [content])
    expect(await store.find(hash)).toBeDefined()
  })

  test('keeps nothing of what breaks off', async () => {
    await using opened = await open()
    const { content, hash } = block(randomBytes(1000))
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield content.subarray(0, 500)
      throw new Error('the wire is cut')
    }
    await expect(opened.store.put(hash, broken())).rejects.toThrow('the wire is cut')
    expect(await opened.store.find(hash)).toBe(undefined)
  })

  test('takes one block from many at once, and many blocks', async () => {
    await using opened = await open()
    const { store, read } = opened
    const blocks = Array.from({ length: 4 }, () => block(randomBytes(50_000)))
    const puts = blocks.flatMap(({ content, hash }) => [
      store.put(hash, [content]),
      store.put(hash, pieces(content, 999))
    ])
    await Promise.all(puts)
    for (const { content, hash } of blocks)
      expect(Buffer.compare(await read((await store.find(hash))!), content)).toBe(0)
  })

  test('forgets what is removed, also what it never had, and takes it again', async () => {
    await using opened = await open()
    const { store } = opened
    const { content, hash } = block(randomBytes(1000))
    await store.remove(hash)
    await store.put(hash, [content])
    await store.remove(hash)
    expect(await store.find(hash)).toBe(undefined)
    await store.put(hash, [content])
    expect(await store.find(hash)).toBeDefined()
  })

  test('is what the next process finds', async () => {
    await using opened = await open()
    const { content, hash } = block(randomBytes(1000))
    await opened.store.put(hash, [content])
    const place = await opened.again().find(hash)
    expect(Buffer.compare(await opened.read(place!), content)).toBe(0)
  })
})
