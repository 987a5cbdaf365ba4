import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { deviceId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { UserError } from '../../core/user-error.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { namesFile } from '../state/names-file.ts'
import type { OwnedModel } from './owned-model.ts'
import { OwnedModels } from './owned-models.ts'

const [A, B] = ['a', 'b'].map(deviceId) as [ReturnType<typeof deviceId>, ReturnType<typeof deviceId>]

/** A start of a device that owns these files by these names; a file's model is its path. */
const start = (folder: string, files: Readonly<Record<string, string>>, view = new ClusterView(A, 1)) => {
  const models = Object.entries(files).map(([name, file]): OwnedModel => ({ name, file }))
  const prepare = async ({ file }: OwnedModel): Promise<ModelManifest> => {
    if (file === 'damaged') throw new UserError('damaged: not an ONNX model')
    return { id: modelId(file), name: file, sha256: '', blocks: [], activations: [], inputs: [], outputs: [] }
  }
  return { view, owned: new OwnedModels({ models, view, prepare, names: namesFile(folder) }) }
}
const folder = (): string => mkdtempSync(join(tmpdir(), 'tributary-owned-'))

test('a name that means another model than at the last start has a larger revision, and what it meant is replaced', async () => {
  const state = folder()
  const revisions = async (file: string) => {
    const { owned } = start(state, { net: file })
    const replaced = (await owned.prepare()).flatMap(one => one.replaced ?? [])
    return [...owned.names().map(({ model, revision }) => `${model} ${revision}`), ...replaced]
  }
  expect(await revisions('one')).toEqual(['one 1'])
  expect(await revisions('one')).toEqual(['one 1'])
  expect(await revisions('two')).toEqual(['two 2', 'one'])
  expect(await revisions('two')).toEqual(['two 2'])
  expect(await revisions('one')).toEqual(['one 3', 'two'])
})

test('what it meant is not replaced where another name still means it', async () => {
  const state = folder()
  await start(state, { net: 'one' }).owned.prepare()
  const prepared = await start(state, { net: 'two', spare: 'one' }).owned.prepare()
  expect(prepared.map(({ manifest, replaced }) => [manifest.id, replaced])).toEqual([
    ['two', undefined],
    ['one', undefined]
  ])
})

test('an update is kept for the next start; one that cannot be served changes nothing', async () => {
  const state = folder()
  const { owned } = start(state, { net: 'one' })
  await owned.prepare()
  await expect(owned.update({ name: 'net', file: 'damaged' })).rejects.toThrow('not an ONNX model')
  expect(owned.names()).toMatchObject([{ model: 'one', revision: 1n }])
  expect(await owned.update({ name: 'net', file: 'two' })).toMatchObject({ before: 'one', manifest: { id: 'two' } })
  expect(await owned.update({ name: 'net', file: 'two' })).toMatchObject({ before: 'two', manifest: { id: 'two' } })
  expect(owned.names()).toMatchObject([{ model: 'two', revision: 2n }])
  expect(JSON.parse(readFileSync(join(state, 'names.json'), 'utf8'))).toEqual({ net: { model: 'two', revision: 2 } })
  await expect(owned.update({ name: 'other', file: 'two' })).rejects.toThrow(
    'model "other" is not of this device (it has net)'
  )
})

test('an update counts more than what other owners have, and so does what was changed between two starts', async () => {
  const view = new ClusterView(A, 1)
  view.joined(B)
  const hear = (revision: bigint) =>
    view.heard(
      B,
      create(DeviceStateSchema, {
        device: B,
        sequence: revision,
        models: [{ model: 'theirs', owner: true, name: 'net', revision }]
      })
    )
  const state = folder()
  await start(state, { net: 'one' }).owned.prepare()
  const { owned } = start(state, { net: 'two' }, view)
  await owned.prepare()
  expect(owned.tick()).toBe(false) // nobody else is there yet
  hear(7n)
  expect(owned.tick()).toBe(true)
  expect(owned.names()).toMatchObject([{ model: 'two', revision: 8n }])
  hear(9n)
  expect(owned.tick()).toBe(false) // once: the other has been changed since
  await owned.update({ name: 'net', file: 'three' })
  expect(owned.names()).toMatchObject([{ model: 'three', revision: 10n }])
})

test('a new owner of an old name does not push itself before others', async () => {
  const view = new ClusterView(A, 1)
  view.joined(B)
  const models = [{ model: 'theirs', owner: true, name: 'net', revision: 3n }]
  view.heard(B, create(DeviceStateSchema, { device: B, sequence: 1n, models }))
  const { owned } = start(folder(), { net: 'one' }, view)
  await owned.prepare()
  expect(owned.tick()).toBe(false)
  expect(owned.names()).toMatchObject([{ revision: 1n }])
})

test('a model that comes later is owned from then on, counts as one that was there at the start, and can go', async () => {
  const state = folder()
  const { owned } = start(state, { net: 'one' })
  const later = (file: string, name = 'later'): OwnedModel => ({
    ...{ name, file }
  })
  expect(await owned.add(later('two', 'early'))).toBe(undefined)
  await owned.prepare()
  expect(owned.names().map(({ name }) => name)).toEqual(['net', 'early'])
  expect(await owned.add(later('three'))).toMatchObject({ manifest: { id: 'three' }, replaced: undefined })
  await expect(owned.add(later('four'))).rejects.toThrow('model "later" is of this device already')
  await expect(owned.add(later('damaged', 'other'))).rejects.toThrow('not an ONNX model')
  expect(owned.names().map(({ name, model }) => `${name}=${model}`)).toEqual(['net=one', 'early=two', 'later=three'])
  expect(await owned.remove('later')).toBe('three')
  expect(await owned.remove('later')).toBe(false)
  expect(await owned.add(later('four'))).toMatchObject({ manifest: { id: 'four' }, replaced: 'three' })
  expect(owned.names().at(-1)).toMatchObject({ name: 'later', model: 'four', revision: 2n })
})

test('whether a model may be owned is asked once it is cut, and one that may not be never was', async () => {
  const { owned } = start(folder(), {})
  await owned.prepare()
  const seen: string[] = []
  const mayOwn = ({ id }: { readonly id: string }): void => {
    seen.push(`${id} beside ${owned.names().length}`)
    throw new Error('somebody has that name')
  }
  await expect(owned.add({ name: 'net', file: 'one' }, mayOwn)).rejects.toThrow('somebody has that name')
  expect([seen, owned.names()]).toEqual([['one beside 0'], []])
  expect(await owned.add({ name: 'net', file: 'two' })).toMatchObject({ manifest: { id: 'two' }, replaced: undefined })
})

test('a device that began without a model keeps what the names of later ones mean', async () => {
  const state = folder()
  for (const [file, revision] of [
    ['one', 1n],
    ['two', 2n]
  ] as const) {
    const { owned } = start(state, {})
    await owned.prepare()
    await owned.add({ name: 'net', file })
    expect(owned.names()).toMatchObject([{ model: file, revision }])
  }
})

test('what names meant may be kept elsewhere than in a file', async () => {
  let kept: unknown
  const names = {
    readNames: async () => kept,
    writeNames: async (now: unknown) => {
      kept = structuredClone(now)
    }
  }
  const revision = async (id: string): Promise<bigint | undefined> => {
    const model: OwnedModel = { name: 'net', file: id }
    const prepare = async ({ file }: OwnedModel): Promise<ModelManifest> => {
      return { id: modelId(file), name: file, sha256: '', blocks: [], activations: [], inputs: [], outputs: [] }
    }
    const owned = new OwnedModels({ models: [model], view: new ClusterView(A, 1), prepare, names })
    await owned.prepare()
    return owned.names()[0]?.revision
  }
  expect([await revision('one'), await revision('one'), await revision('two')]).toEqual([1n, 1n, 2n])
})
