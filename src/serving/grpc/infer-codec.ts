import { create } from '@bufbuild/protobuf'
import {
  type ModelInferRequest,
  type ModelInferResponse,
  ModelInferResponseSchema
} from '../../runtime/generated/inference/inference_pb.ts'
import { datatypeOf } from '../datatypes.ts'
import type { InferAnswer, InferCall, InferInput } from '../inference-service.ts'
import { isSet, refuseClasses, refuseSharedMemory } from '../parameters.ts'
import { ServingError } from '../serving-error.ts'
import { contentsOf } from './contents-of.ts'
import { parametersOf } from './parameters-of.ts'

/** Of a message what the service is asked. @throws ServingError */
export const callOf = (
  request: ModelInferRequest
): Pick<InferCall, 'model' | 'version' | 'parameters' | 'inputs' | 'outputs'> => {
  const { modelName: model, modelVersion: version, inputs, outputs, rawInputContents: raw } = request
  for (const input of inputs) refuseSharedMemory(`input '${input.name}'`, parametersOf(input.parameters))
  if (raw.length > 0 && raw.length !== inputs.length)
    throw new ServingError(
      'badRequest',
      `raw_input_contents has ${raw.length} tensors for ${inputs.length} inputs of '${model}'`
    )
  for (const output of outputs) {
    const own = parametersOf(output.parameters)
    refuseClasses(output.name, own)
    refuseSharedMemory(`output '${output.name}'`, own)
  }
  return {
    model,
    version,
    parameters: parametersOf(request.parameters),
    inputs: inputs.map((input, i) => inputOf(input, raw[i])),
    outputs: outputs.length === 0 ? undefined : outputs.map(({ name }) => name)
  }
}

const inputOf = (
  { name, datatype, shape, contents }: ModelInferRequest['inputs'][number],
  raw: Uint8Array | undefined
): InferInput => {
  const dims = shape.map(Number)
  if (!dims.every(dim => Number.isSafeInteger(dim) && dim >= 0))
    throw new ServingError(
      'badRequest',
      `input '${name}' has the shape [${shape.join(',')}]; its dimensions are whole numbers from 0`
    )
  if (raw !== undefined && contents !== undefined)
    throw new ServingError('badRequest', `input '${name}' has contents beside raw_input_contents: use one of them`)
  const data = raw === undefined ? contentsOf(name, datatype, dims, contents) : (raw as Uint8Array<ArrayBuffer>)
  return { name, datatype, shape: dims, data }
}

/** Its tensors are raw, in order. */
export const responseOf = (request: ModelInferRequest, { version, outputs }: InferAnswer): ModelInferResponse =>
  create(ModelInferResponseSchema, {
    modelName: request.modelName,
    modelVersion: version,
    id: request.id,
    outputs: outputs.map(({ name, type, dims }) => ({ name, datatype: datatypeOf(type), shape: dims.map(BigInt) })),
    rawOutputContents: outputs.map(({ data }) => data),
    ...(saysWhenLast(request)
      ? { parameters: { triton_final_response: { parameterChoice: { case: 'boolParam' as const, value: true } } } }
      : {})
  })

/** Whether a client on a stream waits to be told that no more comes of its request. */
const saysWhenLast = ({ parameters }: ModelInferRequest): boolean =>
  isSet(parametersOf(parameters), 'triton_enable_empty_final_response')
