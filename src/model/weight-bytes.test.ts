import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { create, fromBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema, TensorProto_DataType as T, TensorProto_DataLocation } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { blockProtos, check, folder, save, study, x, y } from '../testing/cut-everywhere.ts'
import {
  body,
  buildModel,
  bytesOf,
  floatList,
  floats,
  int,
  int64s,
  ints,
  type ModelParts,
  node,
  stringList,
  tensorAttribute,
  text,
  type Weights
} from '../testing/onnx-builder.ts'
import { blockFacts } from './cut-model.ts'
import { ELEMENT_BITS } from './element-bits.ts'
import { readOnnxFile } from './files/read-onnx-file.ts'
import { writeBlocks } from './files/write-blocks.ts'
import { neededBytes } from './onnx-file.ts'
import { weightBytes } from './weight-bytes.ts'

const count = (parts: ModelParts): number => weightBytes(fromBinary(ModelProtoSchema, buildModel(parts)), 'model.onnx')
const io = { inputs: [x()], outputs: [y([2, 3])] }

describe('weight bytes', () => {
  test('every element type of the format has a size, packed ones up to the next byte', () => {
    const types = Object.values(T).filter((type): type is T => typeof type === 'number')
    expect(types.filter(type => ELEMENT_BITS[type] === undefined)).toEqual([T.UNDEFINED, T.STRING])
    const bytesOfFive = (dataType: T) => neededBytes({ dataType, dims: [5n] } as never)
    expect([T.UINT2, T.INT2].map(bytesOfFive)).toEqual([2, 2])
    expect([T.UINT4, T.INT4, T.FLOAT4E2M1].map(bytesOfFive)).toEqual([3, 3, 3])
    expect([T.FLOAT8E8M0, T.FLOAT8E5M2, T.BFLOAT16, T.COMPLEX128].map(bytesOfFive)).toEqual([5, 5, 10, 80])
  })

  for (const [name, type, bytes] of [
    ['uint2', T.UINT2, 64 / 4],
    ['int2', T.INT2, 64 / 4],
    ['uint4', T.UINT4, 64 / 2],
    ['int4', T.INT4, 64 / 2],
    ['float4e2m1', T.FLOAT4E2M1, 64 / 2],
    ['float8e8m0', T.FLOAT8E8M0, 64],
    ['float8e4m3fn', T.FLOAT8E4M3FN, 64],
    ['bfloat16', T.BFLOAT16, 128]
  ] as const) {
    test(`${name} in external data that does not say how long it is: counted, and brought into its block`, async () => {
      writeFileSync(
        join(folder, `${name}.bin`),
        Uint8Array.from({ length: bytes + 9 }, (_, i) => i)
      )
      const outside: Weights = {
        name: 'w',
        dataType: type,
        dims: [8n, 8n],
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [
          { key: 'location', value: `${name}.bin` },
          { key: 'offset', value: '9' }
        ]
      }
      // The runtime knows few operators for these types; as an output of the model, any weight is served.
      const file = save({
        nodes: [node('Relu', ['x'], ['a']), node('Shape', ['w'], ['s']), node('Neg', ['a'], ['y'])],
        weights: [outside],
        ...io,
        opset: 25,
        irVersion: 13
      })
      const read = await readOnnxFile(file)
      expect(weightBytes(read.model, read.path)).toBe(bytes)
      const { onnxChunks } = await import('./files/onnx-chunks.ts')
      const pieces: Uint8Array[] = []
      for await (const piece of onnxChunks(read.model, read.path)) pieces.push(piece)
      const [inside] = fromBinary(ModelProtoSchema, Buffer.concat(pieces)).graph!.initializer
      expect([...inside!.rawData]).toEqual(Array.from({ length: bytes }, (_, i) => i + 9))
      expect(inside!.externalData).toEqual([])
    })
  }

  test('weights in two, four and eight bits that blocks dequantise, external and without a length: cut as any', async () => {
    for (const [type, bytes] of [
      [T.UINT2, 16],
      [T.INT2, 16],
      [T.UINT4, 32],
      [T.INT4, 32],
      [T.INT8, 64]
    ] as const) {
      writeFileSync(
        join(folder, 'few.bin'),
        Uint8Array.from({ length: bytes }, (_, i) => i * 7)
      )
      const model = await check({
        nodes: [
          node('Tanh', ['x'], ['a']),
          node('DequantizeLinear', ['w', 's'], ['d']),
          node('MatMul', ['a', 'd'], ['b']),
          node('Exp', ['b'], ['y'])
        ],
        weights: [
          { name: 's', dataType: T.FLOAT, dims: [], floatData: [0.001] },
          {
            name: 'w',
            dataType: type,
            dims: [8n, 8n],
            dataLocation: TensorProto_DataLocation.EXTERNAL,
            externalData: [{ key: 'location', value: 'few.bin' }]
          }
        ],
        inputs: [x([2, 8])],
        outputs: [y()],
        opset: 25,
        irVersion: 13
      })
      const all = model.cutPoints.map((_, i) => i)
      expect(blockFacts(model, all).map(b => b.weightBytes)).toEqual([0, bytes + 4, 0])
    }
  })

  const ensemble = (trees: number): ModelParts => ({
    nodes: [
      node(
        'TreeEnsembleRegressor',
        ['x'],
        ['t'],
        [
          int('n_targets', 1),
          text('post_transform', 'NONE'),
          ...['nodes_treeids', 'nodes_nodeids', 'nodes_featureids', 'nodes_truenodeids', 'nodes_falsenodeids'].map(
            name =>
              ints(
                name,
                Array.from({ length: 3 * trees }, (_, i) => {
                  const [tree, inTree] = [Math.floor(i / 3), i % 3]
                  if (name === 'nodes_treeids') return tree
                  if (name === 'nodes_nodeids') return inTree
                  if (name === 'nodes_featureids') return inTree === 0 ? tree % 3 : 0
                  if (inTree > 0) return 0
                  return name === 'nodes_truenodeids' ? 1 : 2
                })
              )
          ),
          floatList(
            'nodes_values',
            Array.from({ length: 3 * trees }, (_, i) => (i % 3 === 0 ? 0.1 : 0))
          ),
          stringList(
            'nodes_modes',
            Array.from({ length: 3 * trees }, (_, i) => (i % 3 === 0 ? 'BRANCH_LEQ' : 'LEAF'))
          ),
          ints(
            'target_treeids',
            Array.from({ length: 2 * trees }, (_, i) => Math.floor(i / 2))
          ),
          ints(
            'target_nodeids',
            Array.from({ length: 2 * trees }, (_, i) => 1 + (i % 2))
          ),
          ints(
            'target_ids',
            Array.from({ length: 2 * trees }, () => 0)
          ),
          floatList(
            'target_weights',
            Array.from({ length: 2 * trees }, (_, i) => i / 7)
          )
        ],
        'ai.onnx.ml'
      ),
      node('Neg', ['t'], ['y'])
    ],
    domains: [{ domain: 'ai.onnx.ml', version: 3 }],
    inputs: [x()],
    outputs: [y([2, 1])]
  })

  test('a tree ensemble keeps its weights in lists: counted, by the block that has them', async () => {
    const trees = 20
    const model = await check(ensemble(trees))
    const lists = 5 * 8 * 3 * trees + 4 * 3 * trees + trees * ('BRANCH_LEQ'.length + 2 * 'LEAF'.length)
    const targets = 3 * 8 * 2 * trees + 4 * 2 * trees
    expect(blockFacts(model, [0]).map(b => b.weightBytes)).toEqual([lists + targets, 0])
  })

  test('linear models, support vectors and vocabularies', () => {
    const ml = (opType: string, attributes: Parameters<typeof node>[3]): number =>
      count({ nodes: [node(opType, ['x'], ['y'], attributes, 'ai.onnx.ml')], ...io })
    expect(ml('LinearRegressor', [floatList('coefficients', [1, 2, 3]), floatList('intercepts', [1])])).toBe(16)
    expect(ml('SVMRegressor', [floatList('support_vectors', [1, 2]), floatList('coefficients', [1])])).toBe(12)
    expect(ml('LabelEncoder', [stringList('keys_strings', ['a', 'bcd']), ints('values_int64s', [1, 2])])).toBe(20)
    const pool = [ints('pool_int64s', [1, 2, 3]), ints('ngram_counts', [0]), floatList('weights', [1, 2])]
    expect(count({ nodes: [node('TfIdfVectorizer', ['x'], ['y'], pool)], ...io })).toBe(24 + 8 + 8)
  })

  test('constants in nodes, however they are written, in bodies and in functions; settings are none', () => {
    const constant = (attribute: ReturnType<typeof floatList>, output = 'k') =>
      node('Constant', [], [output], [attribute])
    expect(count({ nodes: [constant(floatList('value_floats', [1, 2, 3]))], ...io })).toBe(12)
    expect(count({ nodes: [constant(ints('value_ints', [1, 2]))], ...io })).toBe(16)
    expect(count({ nodes: [constant(tensorAttribute(floats('', [4])))], ...io })).toBe(16)
    const values = bytesOf('', T.INT8, [1, 2])
    const sparse = { name: 'sparse_value', type: 11, sparseTensor: { values, indices: int64s('', [0, 5]), dims: [9n] } }
    expect(count({ nodes: [constant(sparse)], ...io })).toBe(2 + 16)
    const branch = { name: 'b', node: [constant(floatList('value_floats', [1, 2]))], initializer: [floats('w', [3])] }
    expect(count({ nodes: [node('If', ['c'], ['y'], [body('then_branch', branch)])], ...io })).toBe(8 + 12)
    const functions = [{ name: 'F', domain: 'mine', node: [constant(tensorAttribute(floats('', [5])))] }]
    expect(count({ nodes: [node('F', ['x'], ['y'], [], 'mine')], functions, ...io })).toBe(20)
    const settings = [ints('kernel_shape', [3, 3]), ints('pads', [1, 1, 1, 1])]
    expect(count({ nodes: [node('MaxPool', ['x'], ['y'], settings)], ...io })).toBe(0)
  })

  test('external data inside of a kept function comes into its block', async () => {
    writeFileSync(join(folder, 'fn.bin'), new Uint8Array(Float32Array.of(1, 2, 3).buffer))
    const outside: Weights = {
      dataType: T.FLOAT,
      dims: [3n],
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: [{ key: 'location', value: 'fn.bin' }]
    }
    const model = await study(
      save({
        nodes: [node('Gelu', ['x'], ['a'], [], 'com.microsoft'), node('Neg', ['a'], ['y'])],
        functions: [
          create(ModelProtoSchema, {
            functions: [
              {
                name: 'Gelu',
                domain: 'com.microsoft',
                input: ['p'],
                output: ['q'],
                opsetImport: [{ version: 17n }],
                node: [node('Constant', [], ['k'], [tensorAttribute(outside)]), node('Add', ['p', 'k'], ['q'])]
              }
            ]
          }).functions[0]!
        ],
        domains: [{ domain: 'com.microsoft', version: 1 }],
        irVersion: 10,
        ...io
      })
    )
    const [first] = await blockProtos(model, [0])
    const tensor = first!.functions[0]!.node[0]!.attribute[0]!.t!
    expect([...new Float32Array(Uint8Array.from(tensor.rawData).buffer)]).toEqual([1, 2, 3])
    expect(tensor.dataLocation).toBe(TensorProto_DataLocation.DEFAULT)
  })

  test('constants computed at load count in memory, in the block that keeps them: bytes of the file are few', async () => {
    const model = await check({
      nodes: [
        node('ConstantOfShape', ['big'], ['ones'], [tensorAttribute(floats('', [1], 1))]),
        node('Mul', ['ones', 'w'], ['k']),
        node('MatMul', ['x', 'k'], ['a']),
        node('Tanh', ['a'], ['b']),
        node('Expand', ['one', 'big'], ['e']),
        node('MatMul', ['b', 'e'], ['y'])
      ],
      weights: [int64s('big', [64, 64]), floats('w', [64]), floats('one', [1])],
      inputs: [x([2, 64])],
      outputs: [y()]
    })
    const all = model.cutPoints.map((_, i) => i)
    const kept = 64 * 64 * 4
    expect(blockFacts(model, all).map(b => b.computedBytes)).toEqual([kept, 0, kept])
    const written = await writeBlocks(model, all, async (_, chunks) => {
      for await (const _chunk of chunks);
    })
    expect(written.map(b => b.loadedBytes - b.bytes)).toEqual([kept, 0, kept])
    expect(written[0]!.bytes).toBeLessThan(kept / 4)
  })

  test('a weight in few bits is made into floats only where the runtime does not merge it', async () => {
    const weight = (name: string) => ({
      ...bytesOf(
        name,
        T.INT8,
        Array.from({ length: 256 }, (_, i) => i - 128)
      ),
      dims: [16n, 16n]
    })
    const scale = (name: string, held: number): Weights => ({ name, dataType: T.FLOAT, dims: [], floatData: [held] })
    const parts = (second: string): ModelParts => ({
      nodes: [
        node('DequantizeLinear', ['q', 's'], ['w']),
        node('DequantizeLinear', ['p', 't'], ['v']),
        node('MatMul', ['x', 'w'], ['a']),
        node('Tanh', ['a'], ['b']),
        node('MatMul', ['b', second], ['y'])
      ],
      weights: [weight('q'), weight('p'), scale('s', 0.01), scale('t', 0.02)],
      inputs: [x([2, 16])],
      outputs: [y()],
      opset: 21,
      irVersion: 10
    })
    const computed = async (second: string) => {
      const model = await check(parts(second))
      return blockFacts(model, [0, 1]).map(b => b.computedBytes)
    }
    expect(await computed('v')).toEqual([0, 0, 0])
    expect(await computed('w')).toEqual([1024, 0, 1024])
  })
})
