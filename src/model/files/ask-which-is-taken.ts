import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema
} from 'onnx-buf'
import type { Tensor } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { ELEMENT_TYPE_OF } from '../element-bits.ts'
import { messageWith } from '../message-with.ts'
import { isExternal, type OnnxFile } from '../onnx-file.ts'
import type { OpenModel } from '../open-model.ts'
import { rawBytes } from './onnx-chunks.ts'

/** One of several that a file gives a name, in the order in which ONNX Runtime meets them. */
export interface Definition {
  readonly tensor: TensorProto
  /** The Constant node that makes it; undefined for an initializer. */
  readonly node?: NodeProto
}

/**
 * Which of several definitions of one name ONNX Runtime takes: a model of nothing but these, each kept as it is (raw or
 * typed, an initializer or a Constant node, inside or outside of the file) and in its order, is run, and what comes back
 * is compared with what each gives alone.
 * @param twice definitions of each name, at least two
 * @returns for each name the index of the one that is taken; of several that are equal the last
 * @throws UserError when the runtime does not say
 */
export const askWhichIsTaken = async (
  file: OnnxFile,
  twice: ReadonlyMap<string, readonly Definition[]>,
  openModel: OpenModel
): Promise<ReadonlyMap<string, number>> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-constants-'))
  try {
    const placed = await bringExternal(file, twice, folder)
    const together = await answers(file, folder, [...placed.values()].flat(), openModel)
    const taken = new Map<string, number>()
    for (const [name, all] of placed) {
      const alone: Tensor[] = []
      for (const definition of all) alone.push((await answers(file, folder, [definition], openModel)).get(name)!)
      const answer = together.get(name)!
      const index = alone.findLastIndex(tensor => Buffer.compare(tensor.data, answer.data) === 0)
      if (index === -1) throw new UserError(`${file.path}: ONNX Runtime takes none of the definitions of "${name}"`)
      taken.set(name, index)
    }
    return taken
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What each of these names holds when the runtime has loaded these definitions. */
const answers = async (
  file: OnnxFile,
  folder: string,
  definitions: readonly Definition[],
  openModel: OpenModel
): Promise<ReadonlyMap<string, Tensor>> => {
  const draft = join(folder, 'asked.onnx')
  const graph = asking(file.graph, definitions)
  const { irVersion, opsetImport } = file.model
  await writeFile(draft, toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion, opsetImport, graph })))
  try {
    const opened = await openModel(draft)
    try {
      const given = await opened.run([])
      return new Map([...namesOf(definitions)].map((name, i) => [name, given[i]!]))
    } finally {
      await opened.close()
    }
  } catch (error) {
    const names = [...namesOf(definitions)].join('", "')
    const because = (error as Error).message.replaceAll(draft, file.path)
    throw new UserError(
      `${file.path}: "${names}" is defined twice, and ONNX Runtime does not say which it takes: ${because}; export the model again`
    )
  }
}

const namesOf = (definitions: readonly Definition[]): ReadonlySet<string> =>
  new Set(definitions.map(({ tensor }) => tensor.name))

/** A graph of the definitions with one output for each name, as floats where JavaScript lacks the type. */
const asking = ({ input }: GraphProto, definitions: readonly Definition[]): GraphProto => {
  const names = namesOf(definitions)
  const types = new Map(definitions.map(({ tensor }) => [tensor.name, tensor.dataType]))
  const readers = [...types].map(([name, type], i) => {
    const ends = { input: [name], output: [outputName(names, i)] }
    if (ELEMENT_TYPE_OF.has(type)) return create(NodeProtoSchema, { opType: 'Identity', ...ends })
    const to = create(AttributeProtoSchema, {
      name: 'to',
      type: AttributeProto_AttributeType.INT,
      i: BigInt(TensorProto_DataType.FLOAT)
    })
    return create(NodeProtoSchema, { opType: 'Cast', ...ends, attribute: [to] })
  })
  return create(GraphProtoSchema, {
    name: 'asked',
    initializer: definitions.filter(({ node }) => node === undefined).map(({ tensor }) => tensor),
    node: [...definitions.flatMap(({ node }) => node ?? []), ...readers],
    input: input.filter(({ name }) => names.has(name)),
    output: readers.map(({ output }) => create(ValueInfoProtoSchema, { name: output[0]! }))
  })
}

/** Not the name of a definition. */
const outputName = (names: ReadonlySet<string>, i: number): string => {
  let name = `answer${i}`
  while (names.has(name)) name += '_'
  return name
}

/** External data are read beside the model: what these definitions hold of them is put beside the one that asks. */
const bringExternal = async (
  { path }: OnnxFile,
  twice: ReadonlyMap<string, readonly Definition[]>,
  folder: string
): Promise<ReadonlyMap<string, readonly Definition[]>> => {
  let files = 0
  const moved = async (tensor: TensorProto): Promise<TensorProto> => {
    if (!isExternal(tensor)) return tensor
    const to = join(folder, `${files++}.bin`)
    await pipeline(Readable.from(rawBytes(tensor, path)), createWriteStream(to))
    const location = create(StringStringEntryProtoSchema, { key: 'location', value: basename(to) })
    const length = tensor.externalData.filter(({ key }) => key === 'length')
    return messageWith(TensorProtoSchema, tensor, { externalData: [location, ...length] })
  }
  const placed = new Map<string, readonly Definition[]>()
  for (const [name, all] of twice) {
    const definitions: Definition[] = []
    for (const { tensor, node } of all)
      definitions.push(
        node === undefined ? { tensor: await moved(tensor) } : { tensor, node: await nodeWith(node, moved) }
      )
    placed.set(name, definitions)
  }
  return placed
}

const nodeWith = async (node: NodeProto, moved: (tensor: TensorProto) => Promise<TensorProto>): Promise<NodeProto> => {
  const attribute: AttributeProto[] = []
  for (const a of node.attribute)
    attribute.push(a.t === undefined ? a : messageWith(AttributeProtoSchema, a, { t: await moved(a.t) }))
  return messageWith(NodeProtoSchema, node, { attribute })
}
