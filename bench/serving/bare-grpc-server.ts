/** The obvious server over gRPC: a handler of grpc-js that hands its message to onnxruntime-node. Says its port; ends with its parent. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import {
  type ModelInferRequest,
  ModelInferRequestSchema,
  type ModelInferResponse,
  ModelInferResponseSchema
} from '../../src/runtime/generated/inference/inference_pb.ts'

const [file = '', dims = '', threads = '1'] = process.argv.slice(2)
const session = await InferenceSession.create(file, { intraOpNumThreads: Number(threads), interOpNumThreads: 1 })
const [input] = session.inputNames
const [output] = session.outputNames
const shape = dims.split('x').map(Number)

const infer = async ({ rawInputContents: [raw] }: ModelInferRequest): Promise<ModelInferResponse> => {
  const { buffer, byteOffset, byteLength } = raw!.byteOffset % 4 === 0 ? raw! : Uint8Array.from(raw!)
  const x = new Tensor('float32', new Float32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4), shape)
  const { data, dims: outDims } = (await session.run({ [input!]: x }))[output!]!
  const { buffer: bytes, byteOffset: from, byteLength: length } = data as Float32Array<ArrayBuffer>
  return create(ModelInferResponseSchema, {
    outputs: [{ name: output!, datatype: 'FP32', shape: outDims.map(BigInt) }],
    rawOutputContents: [new Uint8Array(bytes, from, length)]
  })
}

const server = new Server({ 'grpc.max_receive_message_length': 2 ** 26 })
server.addService(
  {
    ModelInfer: {
      ...{ path: '/inference.GRPCInferenceService/ModelInfer', requestStream: false, responseStream: false },
      requestSerialize: (value: ModelInferRequest) => Buffer.from(toBinary(ModelInferRequestSchema, value)),
      requestDeserialize: (bytes: Buffer) => fromBinary(ModelInferRequestSchema, bytes),
      responseSerialize: (value: ModelInferResponse) => Buffer.from(toBinary(ModelInferResponseSchema, value)),
      responseDeserialize: (bytes: Buffer) => fromBinary(ModelInferResponseSchema, bytes)
    }
  },
  {
    ModelInfer: (
      { request }: { request: ModelInferRequest },
      done: (error: Error | null, answer?: ModelInferResponse) => void
    ) => void infer(request).then(answer => done(null, answer), done)
  }
)
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, port) => process.stdout.write(`${port}\n`))
process.stdin.on('close', () => process.exit()).resume()
