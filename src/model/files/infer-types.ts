import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { create } from '@bufbuild/protobuf'
import { type GraphProto, ValueInfoProtoSchema } from 'onnx-buf'
import { UserError } from '../../core/user-error.ts'
import type { OnnxFile } from '../onnx-file.ts'
import type { OpenedModel, OpenModel, OpenModelOptions, PortInfo } from '../open-model.ts'
import { withoutWeights } from '../without-weights.ts'
import { onnxChunks } from './onnx-chunks.ts'

/** Opens variants of one model, each written to a file of its own in a folder that the caller removes. */
export class Prober {
  readonly #file: OnnxFile
  readonly #folder: string
  readonly #openModel: OpenModel
  #written = 0
  /** Searching for tensors that the runtime cannot show costs a session each time; this many, then the rest is given up. */
  #searches = 64

  constructor(file: OnnxFile, folder: string, openModel: OpenModel) {
    this.#file = file
    this.#folder = folder
    this.#openModel = openModel
  }

  /**
   * Types and shapes of these tensors and of the model's own outputs, by name, as ONNX Runtime infers them. Tensors of
   * types that its JavaScript API refuses (bfloat16, float8) are left out.
   * @throws UserError when the model does not open at all
   */
  async infer(graph: GraphProto, names: readonly string[]): Promise<ReadonlyMap<string, PortInfo>> {
    try {
      return await this.#ask(graph, names)
    } catch (error) {
      if (names.length === 0) throw error
      const own = await this.#ask(graph, [])
      return new Map([...own, ...(await this.#search(graph, names))])
    }
  }

  /**
   * The model with its weights and these tensors as outputs, ready to run.
   * @param options nodes stay as they are, unless these say otherwise
   * @throws UserError when it does not open
   */
  open(graph: GraphProto, names: readonly string[], options = AS_THEY_ARE): Promise<OpenedModel> {
    return this.#open(withOutputs(graph, names), options)
  }

  async #search(graph: GraphProto, names: readonly string[]): Promise<ReadonlyMap<string, PortInfo>> {
    const middle = names.length >> 1
    const halves = names.length === 1 ? [] : [names.slice(0, middle), names.slice(middle)]
    const found: (readonly [string, PortInfo])[] = []
    for (const half of halves) {
      if (this.#searches-- <= 0) break
      found.push(...(await this.#ask(graph, half).catch(() => this.#search(graph, half))))
    }
    return new Map(found)
  }

  /** Without weights where that is possible: some operators want theirs to be constants. */
  async #ask(graph: GraphProto, names: readonly string[]): Promise<ReadonlyMap<string, PortInfo>> {
    const full = withOutputs(graph, names)
    const light = withoutWeights(full)
    const opened =
      light === full
        ? await this.#open(full)
        : await this.#open(light).catch(error => {
            if (UNSUPPORTED.test((error as Error).message)) throw error
            return this.#open(full)
          })
    await opened.close()
    return new Map(opened.outputs.map(info => [info.name, info]))
  }

  async #open(graph: GraphProto, options = AS_THEY_ARE): Promise<OpenedModel> {
    const { path, model } = this.#file
    const draft = join(this.#folder, `${this.#written++}.onnx`)
    await pipeline(Readable.from(onnxChunks({ ...model, graph }, path)), createWriteStream(draft))
    try {
      return await this.#openModel(draft, options)
    } catch (error) {
      const because = (error as Error).message.replaceAll(draft, path)
      throw new UserError(`${path}: ONNX Runtime does not open it: ${because}`)
    } finally {
      await rm(draft, { force: true })
    }
  }
}

const AS_THEY_ARE: OpenModelOptions = { optimise: false }

const UNSUPPORTED = /Unsupported data type/

/** A name is enough: the runtime infers the rest. */
const withOutputs = (graph: GraphProto, names: readonly string[]): GraphProto => {
  const own = new Set(graph.output.map(output => output.name))
  const more = names.filter(name => !own.has(name)).map(name => create(ValueInfoProtoSchema, { name }))
  return { ...graph, output: [...graph.output, ...more] }
}
