import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { BoundedMap } from '../../runtime/network/bounded-map.ts'
import { EngineError } from '../../runtime/ports/engine.ts'
import type { FrigateModel } from './frigate-model.ts'
import type { FrigateModels } from './frigate-models.ts'
import { type FrigateRequest, readFrigateRequest } from './frigate-request.ts'
import { noDetections } from './write-detections.ts'

export interface FrigateServiceParts {
  readonly models: FrigateModels
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
}

/** Frigate waits for half a minute whether a model is loaded, and then gives up for good. */
const PATIENCE: Seconds = seconds(20)
/** Frigate comes as another after each time that it gave up waiting. */
const MOST_CLIENTS = 1024
/** Requests without an answer, of all clients. */
const MOST_WAITING = 256
/** The same words are said again after so long. */
const SILENCE: Seconds = seconds(300)

/** One connection of Frigate's, and the name of the model that it asked for: what stands for the name may change. */
interface Client {
  readonly connection: object
  model: string | undefined
}

/** Answers the requests of Frigate's `zmq` detector, whatever carries them. */
export class FrigateService {
  readonly #parts: FrigateServiceParts
  readonly #clients = new BoundedMap<string, Client>(MOST_CLIENTS)
  readonly #said = new BoundedMap<string, Seconds>(MOST_CLIENTS)
  #waiting = 0

  constructor(parts: FrigateServiceParts) {
    this.#parts = parts
  }

  /**
   * @param identity of the connection
   * @param header JSON, as it came
   * @returns the one frame of the answer; whatever happens there is one
   */
  async answer(identity: string, header: Uint8Array, payload: Uint8Array | undefined): Promise<Buffer> {
    let request: FrigateRequest
    try {
      request = readFrigateRequest(header, payload)
    } catch (error) {
      this.#warn(`a request of Frigate's was refused: ${(error as Error).message}`)
      return json({ error: (error as Error).message })
    }
    const client = this.#client(identity)
    if (request.kind === 'ask') return json(await this.#ask(client, request.model))
    if (request.kind === 'upload') return json(await this.#upload(client, request.model, request.file))
    return this.#detect(client, request)
  }

  #client(identity: string): Client {
    const known = this.#clients.get(identity) ?? { connection: {}, model: undefined }
    this.#clients.set(identity, known)
    return known
  }

  async #ask(client: Client, model_name: string) {
    const { models } = this.#parts
    const model = await models.find(model_name)
    const absent = { model_available: false, model_loaded: false, model_name }
    if (model === undefined) return { ...absent, message: 'it is not here: send it' }
    client.model = model.name
    try {
      const because = await this.#lackOf(model)
      return { model_available: true, model_loaded: because === '', model_name, message: because || 'it is loaded' }
    } catch (error) {
      await models.forget(model)
      return { ...absent, message: `send it anew: ${(error as Error).message}` }
    }
  }

  async #upload(client: Client, model_name: string, file: Uint8Array) {
    try {
      const model = await this.#parts.models.upload(model_name, file)
      client.model = model.name
      const because = await this.#lackOf(model)
      return { model_saved: true, model_loaded: because === '', model_name, message: because || 'it is loaded' }
    } catch (error) {
      const message = (error as Error).message
      this.#warn(`model ${model_name.slice(0, 80)} of Frigate was refused: ${message}`)
      return { model_saved: false, model_loaded: false, model_name, message }
    }
  }

  /** '' as soon as there is an answer to give. @throws EngineError where its file is no model */
  async #lackOf(model: FrigateModel): Promise<string> {
    const { clock } = this.#parts
    const over = new AbortController()
    const late = clock.sleep(PATIENCE, { signal: over.signal }).then(
      () => 'no device has room for it yet: it is asked for again later',
      () => ''
    )
    const ready = model.untilReady(over.signal).then(
      () => '',
      error => {
        if (error instanceof EngineError) throw error
        return (error as Error).message
      }
    )
    try {
      return await Promise.race([ready, late])
    } finally {
      over.abort()
    }
  }

  /** Frigate knows no word for what is wrong but that nothing was seen: the log has it. */
  async #detect(client: Client, { picture, family }: Extract<FrigateRequest, { kind: 'detect' }>): Promise<Buffer> {
    if (this.#waiting >= MOST_WAITING) {
      this.#warn(`${MOST_WAITING} pictures of Frigate's wait already; more are answered with nothing`)
      return noDetections()
    }
    this.#waiting++
    try {
      const { models } = this.#parts
      const model = client.model === undefined ? await models.unnamed() : models.known(client.model)
      if (model === undefined) throw new Error('no model was asked for before')
      client.model = model.name
      return await model.detect(picture, family, { connection: client.connection })
    } catch (error) {
      this.#warn(`a picture of Frigate's was answered with nothing: ${(error as Error).message}`)
      return noDetections()
    } finally {
      this.#waiting--
    }
  }

  #warn(text: string): void {
    const now = this.#parts.clock.now()
    const before = this.#said.get(text)
    if (before !== undefined && now - before < SILENCE) return
    this.#said.set(text, now)
    this.#parts.say(text, 'warn')
  }
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))
