import { expect, test } from 'vitest'
import type { OnnxModel } from '../../runtime/onnx/onnx-model.ts'
import { modelChanges } from './model-changes.ts'

const model = (name: string, file = name, shape = 1): OnnxModel => ({
  ...{ name, file, maxBlocks: 12, cutAt: [], folder: '/state' },
  shapes: new Map([['x', [shape]]])
})

/** A device that owns some models, and refuses a file. */
const owner = (...models: readonly OnnxModel[]) => {
  const owned = new Map(models.map(each => [each.name, each]))
  const put = (each: OnnxModel): void => {
    if (each.file === 'bad') throw new Error('bad is no model')
    owned.set(each.name, each)
  }
  return {
    owned,
    addModel: async (each: OnnxModel) => put(each),
    updateModel: async (each: OnnxModel) => {
      put(each)
      return true
    },
    removeModel: async (name: string) => owned.delete(name)
  }
}

test('models come and change first, and go last', async () => {
  const before = [model('a'), model('b'), model('c')]
  const device = owner(...before)
  const after = [model('a'), model('b', 'other'), model('d')]
  const change = modelChanges(device as never, before, after)
  expect(change).toMatchObject({ added: ['d'], changed: ['b'], removed: ['c'] })
  await change.commit()
  expect([...device.owned.keys()]).toEqual(['a', 'b', 'c', 'd'])
  await change.remove()
  expect([...device.owned.values()]).toEqual(after)
})

test('another shape is a change, and the same is none', () => {
  const change = modelChanges(owner() as never, [model('a'), model('b')], [model('b', 'b', 2), model('a')])
  expect(change).toMatchObject({ added: [], changed: ['b'], removed: [] })
})

test('another content at the same path is a change; a file that was only touched is looked at, and is none', async () => {
  const models = [model('a'), model('b'), model('c')]
  const asked: string[] = []
  const device = {
    ...owner(...models),
    updateModel: async ({ name }: OnnxModel) => {
      asked.push(name)
      return name === 'a'
    }
  }
  const before = new Map(['a', 'b', 'c'].map(name => [name, '1']))
  const change = modelChanges(device as never, models, models, {
    before,
    after: new Map([...before, ['a', '2'], ['b', '2']])
  })
  await change.commit()
  expect([asked, change.changed]).toEqual([['a', 'b'], ['a']])
})

test('where one cannot be served, or what follows is refused, all is as before', async () => {
  const before = [model('a'), model('b')]
  const device = owner(...before)
  const wrong = modelChanges(device as never, before, [model('new'), model('a', 'other'), model('b', 'bad')])
  await expect(wrong.commit()).rejects.toThrow('bad is no model')
  expect([...device.owned.values()]).toEqual(before)
  const right = modelChanges(device as never, before, [model('new'), model('a', 'other')])
  await right.commit()
  await right.undo()
  expect([...device.owned.values()]).toEqual(before)
})
