import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { blockHash } from '../../core/ids.ts'
import { UserError } from '../../core/user-error.ts'
import { createBlobStore } from './disk-blob-store.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-blobs-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const hashOf = (bytes: Uint8Array) => blockHash(createHash('sha256').update(bytes).digest('hex'))
const content = randomBytes(300_000)
const hash = hashOf(content)

describe('a blob store', () => {
  it('finds what was put, also after a restart, and nothing else', async () => {
    const store = createBlobStore({ folder })
    expect(await store.find(hash)).toBeUndefined()
    const path = await store.put(hash, [content.subarray(0, 1000), content.subarray(1000)])
    expect(await readFile(path)).toEqual(content)
    expect(await store.find(hash)).toBe(path)
    expect(await createBlobStore({ folder }).find(hash)).toBe(path)
    expect(await store.put(hash, [])).toBe(path)
  })

  it('says what it keeps, parts too, and what there is room for', async () => {
    const store = createBlobStore({ folder })
    await store.put(hash, [content])
    const other = hashOf(new Uint8Array(1))
    await writeFile(store.partPath(other), new Uint8Array(7))
    await writeFile(join(folder, 'no-block'), new Uint8Array(9))
    const { kept, room } = await store.usage!()
    expect(kept).toEqual(
      new Map([
        [hash, content.length],
        [other, 7]
      ])
    )
    expect(room).toBeGreaterThanOrEqual(content.length + 7)
  })

  it('holds an empty blob', async () => {
    const empty = hashOf(new Uint8Array())
    const store = createBlobStore({ folder })
    expect(await readFile(await store.put(empty, []))).toHaveLength(0)
  })

  it('keeps nothing of bytes that are not what they are put as', async () => {
    const store = createBlobStore({ folder })
    await expect(store.put(hash, [content.subarray(1)])).rejects.toThrow(/were put as/)
    expect(await readdir(folder)).toEqual([])
  })

  it('keeps nothing of a source that fails in the middle', async () => {
    const failing = async function* () {
      yield content.subarray(0, 1000)
      throw new Error('the model file is gone')
    }
    await expect(createBlobStore({ folder }).put(hash, failing())).rejects.toThrow('the model file is gone')
    expect(await readdir(folder)).toEqual([])
  })

  it('commits a part that is right, removes one that is wrong', async () => {
    const store = createBlobStore({ folder })
    await writeFile(store.partPath(hash), content.subarray(5))
    await expect(store.commit(hash)).rejects.toThrow(/the part was removed/)
    expect(await readdir(folder)).toEqual([])
    await writeFile(store.partPath(hash), content)
    expect(await store.commit(hash)).toBe(await store.find(hash))
  })

  it('does not trust a file that was damaged while nobody looked', async () => {
    const path = await createBlobStore({ folder }).put(hash, [content])
    await writeFile(path, content.subarray(0, 100))
    expect(await createBlobStore({ folder }).find(hash)).toBeUndefined()
    expect(await readdir(folder)).toEqual([])
  })

  it('notices that a file was taken away', async () => {
    const store = createBlobStore({ folder })
    await rm(await store.put(hash, [content]))
    expect(await store.find(hash)).toBeUndefined()
  })

  it.each(['../../etc/passwd', '', 'A'.repeat(64), `${'a'.repeat(64)}/`, '..'])('has no file for "%s"', async name => {
    const store = createBlobStore({ folder })
    await expect(store.find(blockHash(name))).rejects.toThrow(/not a SHA-256/)
    expect(() => store.partPath(blockHash(name))).toThrow(/not a SHA-256/)
    await expect(store.put(blockHash(name), [content])).rejects.toThrow(/not a SHA-256/)
  })

  it('says which folder it cannot make', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    expect(() => createBlobStore({ folder: join(file, 'below') })).toThrow(UserError)
    expect(() => createBlobStore({ folder: join(file, 'below') })).toThrow(/cannot make the folder/)
  })
})
