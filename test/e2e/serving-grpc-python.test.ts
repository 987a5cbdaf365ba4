import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { TensorProto_DataType as T } from 'onnx-buf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildModel, node, value } from '../../src/testing/onnx-builder.ts'
import { mixerModel } from '../../src/testing/serving-models.ts'
import { ask, floatsIn, modelOf, servingCluster, untilReady } from '../serving-cluster.ts'

/** The gRPC library of C++ speaks HTTP/2 in its own way (pings, windows, compression): Python's clients stand on it. */

const cluster = servingCluster()
let http: string
let grpc: string

const wideModel = (): Uint8Array =>
  buildModel({
    inputs: [value('x', T.FLOAT, ['N', 400_000])],
    outputs: [value('y', T.FLOAT, ['N', 400_000])],
    nodes: [node('Relu', ['x'], ['y'])]
  })

beforeAll(async () => {
  const models = [
    modelOf(cluster.file('mixer.onnx', mixerModel()), 'mixer', { blocks: 3 }),
    modelOf(cluster.file('wide.onnx', wideModel()), 'wide')
  ]
  const { serving } = await cluster.start('shed', { models, serve: { http: 0, grpc: 0 } })
  http = serving!.http!
  grpc = serving!.grpc!
  await untilReady(http, 'mixer')
  await untilReady(http, 'wide')
})
afterAll(() => cluster[Symbol.asyncDispose]())

/** Debian's packages are those of Debian's Python, whichever comes first in the path. */
const python = ['python3', '/usr/bin/python3'].find(
  command => spawnSync(command, ['-c', 'import grpc, grpc_tools.protoc']).status === 0
)

test("Python's grpcio: single, packed, large and many requests, streams, cancellation and errors", async context => {
  if (python === undefined)
    return context.skip("Python's grpcio is absent: Debian has python3-grpcio and python3-grpc-tools")
  const { stdout } = await promisify(execFile)(python, [
    'test/clients/grpc_client.py',
    grpc,
    'proto/inference/inference.proto'
  ])
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, -2, 3, -4] }] })
  const [y] = (await ask(`${http}/v2/models/mixer/infer`, { body })).json().outputs
  const said = JSON.parse(stdout)
  expect(floatsIn(Buffer.from(said.one[2], 'hex'))).toEqual(y.data.map(Math.fround))
  expect(said).toEqual({
    live: true,
    inputs: ['x'],
    one: [
      'one',
      [
        [1, 3],
        [1, 4]
      ],
      said.one[2]
    ],
    packed: [[500, 3], said.one[2]],
    large: [true, true, true, true, true, true],
    many: true,
    streamed: true,
    cancelled: 'CANCELLED',
    unknown: 'NOT_FOUND',
    short: 'DEADLINE_EXCEEDED',
    unheard: 'UNIMPLEMENTED',
    after: 'after'
  })
})
