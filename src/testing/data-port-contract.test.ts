import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { ELEMENT_TYPES, elementCount, type Tensor, type TensorSpec } from '../core/tensor.ts'
import { UserError } from '../core/user-error.ts'
import { memoryItem } from '../library/memory-item.ts'
import { createMemoryPort } from '../library/memory-port.ts'
import { createDataPort } from '../runtime/io/create-data-port.ts'
import { createSyntheticPort } from '../runtime/io/create-synthetic-port.ts'
import { encodeNpy } from '../runtime/io/npy.ts'
import { readIoSpec } from '../runtime/io/read-io-spec.ts'
import type { DataPort, Item } from '../runtime/ports/data-port.ts'
import { ItemUnavailable } from '../runtime/ports/item-unavailable.ts'
import { toyModel } from './simulated/toy-model.ts'
import { toyItem, toyPort } from './simulated/toy-port.ts'

interface Opened {
  readonly port: DataPort
  readonly inputs: readonly TensorSpec[]
  readonly good: Item
  /** One that is not what it should be; undefined where data are made up. */
  readonly bad?: Item
  /** Takes the good one away; undefined where none can be. */
  readonly takeAway?: () => void | Promise<void>
  /** What goes into its sink must be JSON. */
  readonly isForFiles: boolean
}

const X: TensorSpec = { name: 'x', type: 'float32', shape: [1, 4] }

const folder = async (): Promise<Opened> => {
  const place = await mkdtemp(join(tmpdir(), 'tributary-data-port-'))
  const file = (name: string): string => join(place, name)
  const numbers: Tensor = {
    name: 'x',
    type: 'float32',
    dims: [1, 4],
    data: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
  }
  await writeFile(file('good.npy'), encodeNpy(numbers))
  await writeFile(file('bad.npy'), 'these are no numbers')
  const spec = await readIoSpec({ preset: 'raw' })
  return {
    port: createDataPort({ spec, inputs: [X], resultsFolder: place }),
    inputs: [X],
    good: { name: 'good.npy', path: file('good.npy') } as Item,
    bad: { name: 'bad.npy', path: file('bad.npy') } as Item,
    takeAway: () => rm(file('good.npy')),
    isForFiles: true
  }
}

const madeUp = async (): Promise<Opened> => ({
  port: createSyntheticPort(5, [X], createRng(1)),
  inputs: [X],
  good: { name: '3' },
  isForFiles: true
})

const program = async (): Promise<Opened> => {
  const { manifest } = toyModel({ name: 'net', salt: 1, work: [1], weights: [1], length: 4, skips: false })
  const item = (data: number[]): Item => memoryItem({ type: 'int32', dims: [1, data.length], data }, 0)
  return {
    ...{ port: createMemoryPort(manifest), inputs: manifest.inputs, good: item([1, 2, 3, 4]), bad: item([1, 2, 3]) },
    isForFiles: false
  }
}

const simulated = async (): Promise<Opened> => {
  const model = toyModel({ name: 'net', salt: 1, work: [1], weights: [1], length: 4, skips: false })
  let isAway = false
  const port = toyPort(model, { source: 0, bad: [7], isAway: () => isAway })
  return {
    ...{ port, inputs: model.manifest.inputs, good: toyItem(1), bad: toyItem(7), isForFiles: true },
    takeAway: () => {
      isAway = true
    }
  }
}

const sizeOf = ({ type, dims }: Tensor): number => elementCount(dims) * ELEMENT_TYPES[type]

describe.each([
  ['of a folder', folder],
  ['that makes data up', madeUp],
  ['of a program', program],
  ['of simulated devices', simulated]
])('a data port %s', (_, open) => {
  test('reads what the model takes, in buffers of its own each time, so that it can be given away and read again', async () => {
    const { port, inputs, good } = await open()
    const first = await port.read(good)
    expect(first.map(({ name, type, dims }) => ({ name, type, shape: dims }))).toEqual(inputs)
    for (const tensor of first)
      expect([tensor.data.byteOffset, tensor.data.buffer.byteLength]).toEqual([0, sizeOf(tensor)])
    const before = first.map(({ data }) => data.slice())
    for (const { data } of first) structuredClone(data.buffer, { transfer: [data.buffer] })
    expect((await port.read(good)).map(({ data }) => data)).toEqual(before)
  })

  test('says of an item that has not changed what it said of it before', async () => {
    const { port, good } = await open()
    const [one, two] = [await port.stamp(good), await port.stamp(good)]
    expect(one).toEqual(two)
    expect([typeof one.id, one.modified]).toEqual(['string', expect.any(Number)])
  })

  test('tells what is not what it should be from what is not there', async () => {
    const { port, good, bad, takeAway } = await open()
    if (bad !== undefined) {
      const refusal = await port.read(bad).catch(error => error)
      expect(refusal).toBeInstanceOf(UserError)
      expect(refusal).not.toBeInstanceOf(ItemUnavailable)
    }
    if (takeAway === undefined) return
    await takeAway()
    await expect(port.read(good)).rejects.toBeInstanceOf(ItemUnavailable)
    await expect(port.stamp(good)).rejects.toBeInstanceOf(ItemUnavailable)
  })

  test('makes of a result what its sink takes, and leaves the result as it was', async () => {
    const { port, inputs, good, isForFiles } = await open()
    const outputs: Tensor[] = [{ name: 'x1', type: inputs[0]!.type, dims: [1, 4], data: new Uint8Array(16).fill(1) }]
    const written = await port.write(good, outputs)
    expect(outputs[0]!.data).toEqual(new Uint8Array(16).fill(1))
    if (isForFiles) expect(JSON.parse(JSON.stringify(written))).toEqual(written)
    else expect(written).toMatchObject({ x1: { type: 'int32', dims: [1, 4] } })
  })

  test('has a shape for each input to be timed with, without an open dimension', async () => {
    const { port } = await open()
    const open_: TensorSpec = { name: 'x', type: 'float32', shape: ['n', 4] }
    for (const specs of [[X], [open_]]) {
      const examples = port.exampleInputs(specs)
      expect(examples.map(({ spec }) => spec)).toEqual(specs)
      expect(examples[0]!.dims).toEqual([expect.any(Number), 4])
    }
  })
})
