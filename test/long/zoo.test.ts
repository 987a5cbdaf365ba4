import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Tensor } from '../../src/core/tensor.ts'
import { expectLively, expectLivelyModel, floatsOf, openZooModel } from '../../src/testing/lively-model.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-zoo-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('vgg16: finite results that depend on the input', () => expectLivelyModel('vgg16', folder))

test('gpt2-small-shaped: so too, and no word sees those after it', async () => {
  const model = await openZooModel('gpt2-small-shaped', folder, 4)
  const answer = (ids: readonly number[]): Promise<readonly Tensor[]> => {
    const data = new Uint8Array(BigInt64Array.from(ids, BigInt).buffer)
    return model.run([{ name: 'input_ids', type: 'int64', dims: [1, 4], data }])
  }
  const [first, second] = [await answer([5, 6, 7, 8]), await answer([5, 6, 7, 50_256])]
  expectLively(model, first, second)
  const [a, b] = [floatsOf(first[0]!), floatsOf(second[0]!)]
  const last = (3 * a.length) / 4
  expect(a.subarray(0, last)).toEqual(b.subarray(0, last))
  expect(a.subarray(last)).not.toEqual(b.subarray(last))
  await model.close()
})
