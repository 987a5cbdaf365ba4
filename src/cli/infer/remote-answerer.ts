import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { describeFileError } from '../../core/describe-file-error.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import type { Seconds } from '../../core/units.ts'
import { NoAnswerError, UserError } from '../../core/user-error.ts'
import { datatypeOf, ELEMENT_OF, isDatatype } from '../../serving/datatypes.ts'
import type { Answerer } from './answerer.ts'
import { within } from './within.ts'

export interface RemoteOptions {
  readonly tokenFile: string | undefined
  readonly timeout: Seconds
}

const MOST_BYTES = 2 ** 30
const name = z.string().max(1000)
const tensor = z.object({ name, datatype: z.string().max(20), shape: z.array(z.int()).max(64) })
const metadataSchema = z.object({
  name,
  inputs: z.array(tensor).min(1).max(4096),
  outputs: z.array(tensor).min(1).max(4096)
})
const answerSchema = z.object({
  outputs: z.array(tensor.extend({ parameters: z.object({ binary_data_size: z.int().min(0) }) })).max(4096)
})
const indexSchema = z.array(z.object({ name, state: z.string().optional() })).max(100_000)

export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text)

/** A model of a server that speaks the Open Inference Protocol. @throws UserError where it is not there, or has no such model */
export const openRemote = async (url: string, options: RemoteOptions): Promise<Answerer> => {
  const server = new Server(url, await headersOf(options.tokenFile), options.timeout)
  const path = `/v2/models/${encodeURIComponent(await server.modelOf(url))}`
  const metadata = metadataSchema.safeParse(await server.json('GET', path))
  if (!metadata.success) throw new UserError(`${url}: its answer is not that of the Open Inference Protocol`)
  const { name: model, inputs, outputs } = metadata.data
  return {
    ...{ model, inputs: inputs.map(specOf), outputs: outputs.map(specOf) },
    compute: tensors => server.infer(path, tensors),
    [Symbol.asyncDispose]: async () => {}
  }
}

const headersOf = async (tokenFile: string | undefined): Promise<Record<string, string>> => {
  if (tokenFile === undefined) return {}
  const token = await readFile(tokenFile, 'utf8').catch(error => {
    throw new UserError(`--token-file ${tokenFile}: ${describeFileError(error)}`)
  })
  return { authorization: `Bearer ${token.trim()}` }
}

const specOf = ({ name, datatype, shape }: z.infer<typeof tensor>): TensorSpec => {
  if (!isDatatype(datatype))
    throw new UserError(`tensor "${name}" of the model is ${datatype}, which is not known here`)
  return { name, type: ELEMENT_OF[datatype], shape: shape.map(dim => (dim < 0 ? null : dim)) }
}

class Server {
  readonly #origin: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #timeout: Seconds

  constructor(url: string, headers: Readonly<Record<string, string>>, timeout: Seconds) {
    if (!URL.canParse(url)) throw new UserError(`${url} is no URL; write http://HOST:PORT/v2/models/NAME`)
    this.#origin = new URL(url).origin
    this.#headers = headers
    this.#timeout = timeout
  }

  /** As the URL says, or the only one of the server. */
  async modelOf(url: string): Promise<string> {
    const [, named] =
      /^\/(?:v2\/models\/)?([^/]+)(?:\/versions\/\d+)?(?:\/infer)?\/?$/.exec(new URL(url).pathname) ?? []
    if (named !== undefined && named !== 'v2') return decodeURIComponent(named)
    const index = indexSchema.safeParse(await this.json('POST', '/v2/repository/index'))
    const names = (index.data ?? []).filter(({ state = 'READY' }) => state === 'READY').map(entry => entry.name)
    if (names.length === 1) return names[0]!
    throw new UserError(
      `${url} names no model; write ${this.#origin}/v2/models/NAME (there: ${names.slice(0, 20).join(', ') || 'none'})`
    )
  }

  async json(method: string, path: string): Promise<unknown> {
    const { bytes } = await this.#ask(method, path, method === 'POST' ? Buffer.from('{}') : undefined)
    return parse(bytes)
  }

  async infer(path: string, tensors: readonly Tensor[]): Promise<readonly Tensor[]> {
    const inputs = tensors.map(({ name, type, dims, data }) => ({
      ...{ name, shape: dims, datatype: datatypeOf(type) },
      parameters: { binary_data_size: data.byteLength }
    }))
    const json = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }))
    const body = Buffer.concat([json, ...tensors.map(({ data }) => data)])
    const { bytes, headers } = await this.#ask('POST', `${path}/infer`, body, {
      'inference-header-content-length': String(json.byteLength)
    })
    return tensorsOf(bytes, Number(headers.get('inference-header-content-length')))
  }

  async #ask(method: string, path: string, body?: Buffer, headers: Readonly<Record<string, string>> = {}) {
    const late = (): Error => new NoAnswerError(`${this.#origin}${path} did not answer within ${this.#timeout} s`)
    return within(this.#timeout, signal => this.#fetch(method, path, body, headers, signal), late)
  }

  async #fetch(
    method: string,
    path: string,
    body: Buffer | undefined,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal
  ): Promise<{ readonly bytes: Buffer; readonly headers: Headers }> {
    const given = body === undefined ? {} : { body: new Uint8Array(body) }
    const request = { method, headers: { ...this.#headers, ...headers }, signal, ...given }
    const response = await fetch(`${this.#origin}${path}`, request).catch(error => {
      const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message
      throw new UserError(`${this.#origin} does not answer: ${cause}`, { code: 'noServer', cause: error })
    })
    const bytes = await readAll(response)
    if (response.ok) return { bytes, headers: response.headers }
    const { error = bytes.toString('utf8').slice(0, 200) } = (parse(bytes) ?? {}) as { error?: string }
    const words = `${this.#origin}${path}: ${response.status} ${error}`
    throw response.status === 404 || response.status === 401 ? new UserError(words) : new NoAnswerError(words)
  }
}

const readAll = async (response: Response): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MOST_BYTES) throw new NoAnswerError(`the answer has more than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const parse = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

const tensorsOf = (bytes: Buffer, header: number): readonly Tensor[] => {
  const answer = answerSchema.safeParse(parse(bytes.subarray(0, header)))
  if (!answer.success) throw new NoAnswerError("the server's answer has no binary tensors, though they were asked for")
  let at = header
  return answer.data.outputs.map(({ name, datatype, shape, parameters: { binary_data_size: size } }) => {
    if (!isDatatype(datatype) || at + size > bytes.byteLength)
      throw new NoAnswerError(`the server's answer is broken at output "${name}"`)
    const data = new Uint8Array(bytes.subarray(at, at + size))
    at += size
    return { name, type: ELEMENT_OF[datatype], dims: shape, data }
  })
}
