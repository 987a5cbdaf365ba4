import { TensorProto_DataType, type TypeProto, type ValueInfoProto } from 'onnx-buf'
import { analyseGraph, type GraphAnalysis } from './graph-analysis.ts'
import type { OnnxFile } from './onnx-file.ts'
import type { TensorFacts } from './tensor-facts.ts'
import { tensorType } from './tensor-type.ts'

/** An input or output that no device can be fed or give back. */
export interface LeftOut {
  readonly end: 'input' | 'output'
  readonly name: string
  /** What it is: a sequence of maps, an optional, bfloat16. */
  readonly kind: string
}

/**
 * The part of a model that computes its tensors: without outputs of other kinds, the layers that lead to them alone, and
 * inputs of other kinds that nothing else reads. A model without any tensor output stays whole: it can be cut, not served.
 */
export const tensorsOnly = (
  whole: GraphAnalysis,
  facts: TensorFacts
): { readonly analysis: GraphAnalysis; readonly leftOut: readonly LeftOut[] } => {
  const { file } = whole
  const travels = (name: string): boolean => facts.of(name).type !== undefined
  const outputs = whole.outputs.filter(travels)
  const isPart = outputs.length > 0 && outputs.length < whole.outputs.length
  const part = isPart ? analyseGraph(file, outputs) : whole
  const inputs = part.inputs.filter(name => travels(name) || part.consumers.has(name) || part.outputs.includes(name))
  const analysis = inputs.length === part.inputs.length ? part : { ...part, inputs }
  const missing = (end: LeftOut['end'], all: readonly string[], kept: readonly string[]): LeftOut[] =>
    [...new Set(all)]
      .filter(name => !kept.includes(name))
      .map(name => ({ end, name, kind: kindOf(name, file, end, facts) }))
  return {
    analysis,
    leftOut: [...missing('input', whole.inputs, analysis.inputs), ...missing('output', whole.outputs, analysis.outputs)]
  }
}

/** In one line, for people. */
export const describeLeftOut = (leftOut: readonly LeftOut[]): string =>
  `left out, since only tensors travel: ${leftOut.map(({ end, name, kind }) => `${end} "${name}" (${kind})`).join(', ')}`

const kindOf = (name: string, { graph }: OnnxFile, end: LeftOut['end'], facts: TensorFacts): string => {
  const type = graph[end].find(info => info.name === name)?.type
  return type === undefined || type.value.case === undefined ? facts.of(name).kind : inWords(type)
}

const inWords = ({ value }: TypeProto): string => {
  const of = (inner: TypeProto | undefined): string => (inner === undefined ? '' : ` of ${inWords(inner)}`)
  switch (value.case) {
    case 'sequenceType':
      return `sequence${of(value.value.elemType)}`
    case 'optionalType':
      return `optional${of(value.value.elemType)}`
    case 'mapType':
      return 'map'
    case 'tensorType':
      return `${(TensorProto_DataType[value.value.elemType] ?? 'unknown').toLowerCase()} tensor`
    default:
      return 'not a tensor'
  }
}

/** From this version of the operators on, a tensor may stand where an optional is read. */
const TENSOR_FOR_OPTIONAL = 18

/** Inputs that are optional tensors as the tensors that ONNX Runtime takes there. */
export const optionalsAsTensors = (file: OnnxFile): OnnxFile => {
  const isRead = new Set(analyseGraph(file).consumers.keys())
  const input = file.graph.input.map(info => (isRead.has(info.name) ? asTensor(info) : info))
  const isNothing = file.opset < TENSOR_FOR_OPTIONAL || input.every((info, i) => info === file.graph.input[i])
  if (isNothing) return file
  const graph = { ...file.graph, input }
  return { ...file, graph, model: { ...file.model, graph } }
}

const asTensor = (info: ValueInfoProto): ValueInfoProto => {
  const type = info.type?.value
  const inner = type?.case === 'optionalType' ? type.value.elemType?.value : undefined
  if (inner?.case !== 'tensorType') return info
  // Its shape is not checked when it is fed, so nothing is known of it.
  return { ...info, type: tensorType(inner.value.elemType, undefined) }
}
