import type { FastifyReply, FastifyRequest } from 'fastify'
import { UserError } from '../../core/user-error.ts'
import type { Detection } from '../../runtime/io/detect/detect.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import { datatypeOf } from '../datatypes.ts'
import type { HttpServer } from '../http/create-http-server.ts'
import { discardBody } from '../http/discard-body.ts'
import { traceparentOf } from '../http/traceparent-of.ts'
import type { InferenceService } from '../inference-service.ts'
import { asServingError, ServingError } from '../serving-error.ts'
import { Detector, isDetection } from './detector.ts'
import { type DetectionForm, readForm } from './read-form.ts'

export interface DeepstackOptions {
  /** How this node reads pictures; undefined where it was not told. */
  readonly spec: IoSpec | undefined
  /** Names of the models that it was started with: the first that fits detects where no model is named. */
  readonly own: readonly string[]
}

/** Bytes of a form. */
const LARGEST_BODY = 30 * 1024 * 1024
/** Of one that is larger no more is read, so that its client may not hear why. */
const MOST_DISCARDED = 8 * LARGEST_BODY
const MOST_PREDICTIONS = 20
const CONFIDENCE = 0.4
const MODULE = { moduleId: 'Tributary', executionProvider: 'CPU' }

/** The HTTP interface of DeepStack and CodeProject.AI, for models that detect things in pictures. */
export const addDeepstackRoutes = (server: HttpServer, service: InferenceService, options: DeepstackOptions): void => {
  const routes = new DeepstackRoutes(server, service, options)
  void server.app.register(async scope => {
    scope.setErrorHandler((error, _request, reply) => fail(reply, error))
    scope.get('/v1/server/status/ping', async () => ({ success: true }))
    scope.post('/v1/vision/detection', (request, reply) => routes.detect(request, reply, undefined))
    scope.post('/v1/vision/custom/list', request => routes.list(request))
    scope.post('/v1/vision/custom/:model', (request, reply) =>
      routes.detect(request, reply, (request.params as { readonly model: string }).model)
    )
    scope.all('/v1/vision/*', async ({ method, url }) => {
      throw new ServingError('noSuchPath', `there is nothing at ${method} ${url.slice(0, 200)}`)
    })
  })
}

/** Always JSON, and always with the same two words. */
const fail = (reply: FastifyReply, error: unknown): FastifyReply => {
  const known = error instanceof UserError ? new ServingError('badRequest', error.message) : asServingError(error)
  if (known.retryAfter !== undefined) void reply.header('retry-after', String(known.retryAfter))
  if (known.problem === 'tooLarge' || known.problem === 'tooSlow') void reply.header('connection', 'close')
  return reply.code(known.httpStatus).send({ success: false, error: known.message, code: known.httpStatus })
}

class DeepstackRoutes {
  readonly #server: HttpServer
  readonly #service: InferenceService
  readonly #options: DeepstackOptions

  constructor(server: HttpServer, service: InferenceService, options: DeepstackOptions) {
    this.#server = server
    this.#service = service
    this.#options = options
  }

  async list(request: FastifyRequest) {
    const isForm = /^multipart\//i.test(request.headers['content-type'] ?? '')
    this.#checkKey(request, isForm ? await this.#form(request) : undefined)
    return { success: true, models: this.#names() }
  }

  /** @param named undefined: whichever detects here */
  async detect(request: FastifyRequest, reply: FastifyReply, named: string | undefined) {
    const since = this.#service.now()
    const over = new AbortController()
    reply.raw.once('close', () => over.abort())
    const form = await this.#form(request)
    this.#checkKey(request, form)
    const { image, fields } = form
    if (image === undefined || image.byteLength === 0)
      throw new ServingError('badRequest', 'the form has no picture: send it as the file "image"')
    const confidence = confidenceIn(fields.get('min_confidence'))
    const model = named ?? this.#defaultModel()
    const detector = this.#detectorOf(model)
    const { tensors, place } = await detector.prepare(image)
    const begun = this.#service.now()
    const answer = await this.#service.infer({
      ...{ model, version: '', parameters: new Map(), outputs: undefined, connection: request.socket, since },
      inputs: tensors.map(({ name, type, dims, data }) => ({ name, datatype: datatypeOf(type), shape: dims, data })),
      signal: over.signal,
      trace: traceparentOf(request)
    })
    const computed = this.#service.now()
    const boxes = detector.boxes(answer.outputs, place, confidence, MOST_PREDICTIONS)
    answer.written()
    const milliseconds = (from: number, to: number): number => Math.round((to - from) * 1000)
    const whole = milliseconds(since, this.#service.now())
    return {
      ...{ success: true, message: '', predictions: boxes.map(predictionOf), count: boxes.length },
      ...{ command: named === undefined ? 'detect' : 'custom', ...MODULE },
      ...{ inferenceMs: milliseconds(begun, computed), processMs: whole, analysisRoundTripMs: whole }
    }
  }

  /** Of those in the cluster. */
  #names(): readonly string[] {
    return this.#service.repository.names().filter(name => this.#fits(name))
  }

  #fits(name: string): boolean {
    try {
      this.#detectorOf(name)
      return true
    } catch {
      return false
    }
  }

  #defaultModel(): string {
    const names = this.#names()
    const name = this.#options.own.find(own => names.includes(own)) ?? names[0]
    if (name !== undefined) return name
    this.#spec()
    throw new ServingError('noSuchModel', 'no model of the cluster detects things in pictures as this node reads them')
  }

  #detectorOf(model: string): Detector {
    const manifest = this.#service.manifest(model, '')
    try {
      return new Detector(this.#spec(), manifest)
    } catch (error) {
      if (error instanceof UserError) throw new ServingError('badRequest', `model '${model}': ${error.message}`)
      throw error
    }
  }

  #spec() {
    const { spec } = this.#options
    if (isDetection(spec)) return spec
    throw new ServingError(
      'unsupported',
      'this node was not told how to detect things: start it with a preset that does'
    )
  }

  /** A field of the form has it, or a header as elsewhere. @throws ServingError */
  #checkKey({ headers }: FastifyRequest, form: DetectionForm | undefined): void {
    const key = form?.fields.get('api_key')
    this.#server.checkToken(headers.authorization ?? (key === undefined ? undefined : `Bearer ${key}`))
  }

  async #form(request: FastifyRequest): Promise<DetectionForm> {
    const { 'content-length': length = '0', 'content-type': type = '' } = request.headers
    if (Number(length) > LARGEST_BODY) {
      if (Number(length) <= MOST_DISCARDED) await discardBody(request.raw)
      throw tooLarge()
    }
    using body = await this.#server.body(request)
    if (body.bytes.byteLength > LARGEST_BODY) throw tooLarge()
    const form = await readForm(type, body.bytes)
    body.reuse() // what is needed of it was copied
    return form
  }
}

const tooLarge = (): ServingError =>
  new ServingError('tooLarge', `the form has more than ${LARGEST_BODY / 2 ** 20} MiB, which is the limit here`)

const confidenceIn = (text: string | undefined): number => {
  if (text === undefined || text.trim() === '') return CONFIDENCE
  const value = Number(text)
  if (value >= 0 && value <= 1) return value
  throw new ServingError('badRequest', `min_confidence "${text.slice(0, 40)}" is no number from 0 to 1`)
}

/** In whole pixels of the picture as it was sent. */
const predictionOf = ({ index, label, score, box }: Detection) => {
  const [x_min, y_min, x_max, y_max] = box.map(Math.round) as [number, number, number, number]
  return { label: label ?? `class ${index}`, confidence: score, x_min, y_min, x_max, y_max }
}
