import { type DescMessage, type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { GRPCInferenceService } from '../../runtime/generated/inference/inference_pb.ts'

/** As the package for gRPC wants a service described, with the messages of another package. */
export const serviceDefinition = (): ServiceDefinition =>
  Object.fromEntries(GRPCInferenceService.methods.map(method => [method.name, methodDefinition(method)]))

const methodDefinition = ({ name, methodKind, input, output }: DescMethod): MethodDefinition<Message, Message> => ({
  path: `/${GRPCInferenceService.typeName}/${name}`,
  requestStream: methodKind === 'bidi_streaming',
  responseStream: methodKind === 'bidi_streaming',
  ...codecOf('request', input),
  ...codecOf('response', output)
})

const codecOf = <K extends 'request' | 'response'>(kind: K, message: DescMessage) =>
  ({
    [`${kind}Serialize`]: (value: Message) => Buffer.from(toBinary(message, value)),
    [`${kind}Deserialize`]: (bytes: Buffer) => fromBinary(message, bytes)
  }) as Pick<MethodDefinition<Message, Message>, `${K}Serialize` | `${K}Deserialize`>
