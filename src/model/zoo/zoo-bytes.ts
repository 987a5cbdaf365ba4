import { create, toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { GraphProtoSchema, ModelProtoSchema, TensorProto_DataType, TensorProtoSchema } from 'onnx-buf'
import { createRng, type Rng } from '../../core/rng.ts'
import { elementCount } from '../../core/tensor.ts'
import { fillUniform } from './fill-uniform.ts'
import type { Weight, ZooGraph } from './zoo-graph.ts'

/** Field numbers of onnx.proto3. */
const MODEL_GRAPH = 7
const GRAPH_INITIALIZER = 5
const TENSOR_RAW_DATA = 9

/** Weights made at a time. */
const PIECE = 1 << 18

export interface ZooBytes {
  readonly length: number
  /** The file from beginning to end. A piece is only good until the next is asked for. */
  readonly pieces: Iterable<Uint8Array>
}

/** A zoo model as an ONNX file, its weights made from the seed as they are written: never in memory all at once. */
export const zooBytes = (graph: ZooGraph, seed: number): ZooBytes => {
  const body = toBinary(GraphProtoSchema, graph.body())
  const heads = graph.weights.map(weightHead)
  const weightLengths = graph.weights.map((weight, i) => heads[i]!.length + 4 * elementCount(weight.dims))
  const graphLength = weightLengths.reduce(
    (sum, length, i) => sum + announce(GRAPH_INITIALIZER, weightLengths[i]!).length + length,
    body.length
  )
  const header = toBinary(ModelProtoSchema, graph.header())
  const opening = announce(MODEL_GRAPH, graphLength)
  const rng = createRng(seed)
  const pieces = function* (): Generator<Uint8Array> {
    yield header
    yield opening
    yield body
    for (const [i, weight] of graph.weights.entries()) {
      yield announce(GRAPH_INITIALIZER, weightLengths[i]!)
      yield heads[i]!
      yield* weightPieces(weight, rng.fork(weight.name))
    }
  }
  return { length: header.length + opening.length + graphLength, pieces: { [Symbol.iterator]: pieces } }
}

/** The tag and length of a field whose bytes follow. */
const announce = (field: number, length: number): Uint8Array =>
  new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish()

/** A tensor up to its elements. */
const weightHead = ({ name, dims }: Weight): Uint8Array => {
  const facts = toBinary(
    TensorProtoSchema,
    create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: TensorProto_DataType.FLOAT })
  )
  return Buffer.concat([facts, announce(TENSOR_RAW_DATA, 4 * elementCount(dims))])
}

function* weightPieces({ dims, low, high }: Weight, rng: Rng): Generator<Uint8Array> {
  const word = (): number => Math.floor(rng.next() * 2 ** 32) | 0
  const stream = { keys: [word(), word()], low, high } as const
  const total = elementCount(dims)
  const piece = new Float32Array(Math.min(PIECE, total))
  for (let done = 0; done < total; done += PIECE) {
    const part = piece.subarray(0, Math.min(PIECE, total - done))
    fillUniform(part, done, stream)
    yield new Uint8Array(part.buffer, 0, part.byteLength)
  }
}
