import { Request } from 'zeromq'

export interface FrigateAnswer {
  readonly model_available?: boolean
  readonly model_saved?: boolean
  readonly model_loaded: boolean
  readonly model_name: string
  readonly message: string
}

/** Does what Frigate's `zmq` detector does: one request at a time, and a new connection after each that was not answered in time. */
export class FrigateClient {
  readonly #endpoint: string
  #socket: Request | undefined

  constructor(endpoint: string) {
    this.#endpoint = endpoint
  }

  /** 1, and 2 where it is not available. */
  async begin(model_name: string, file: Uint8Array): Promise<FrigateAnswer> {
    const asked = await this.ask(model_name)
    return asked.model_available === true ? asked : this.upload(model_name, file)
  }

  async ask(model_name: string): Promise<FrigateAnswer> {
    const [answer] = await this.request([JSON.stringify({ model_request: true, model_name })], 30_000)
    return JSON.parse(String(answer))
  }

  async upload(model_name: string, file: Uint8Array): Promise<FrigateAnswer> {
    const [answer] = await this.request([JSON.stringify({ model_data: true, model_name }), file], 30_000)
    return JSON.parse(String(answer))
  }

  /** @returns rows [class, score, top, left, bottom, right] */
  async detect(
    picture: Float32Array,
    shape: readonly number[],
    model_type: string,
    timeout = 10_000
  ): Promise<readonly (readonly number[])[]> {
    const header = JSON.stringify({ shape, dtype: 'float32', model_type })
    const frames = await this.request([header, new Uint8Array(picture.buffer)], timeout)
    if (frames.length !== 1 || frames[0]!.byteLength !== 480)
      throw new Error(`unexpected answer: ${frames.map(String)}`)
    return rowsOf(frames[0]!)
  }

  /** @param timeout milliseconds @throws where no answer comes in time; then the connection is a new one */
  async request(frames: readonly (string | Uint8Array)[], timeout: number): Promise<readonly Buffer[]> {
    this.#socket ??= this.#connect()
    this.#socket.receiveTimeout = timeout
    try {
      await this.#socket.send(frames.map(frame => (typeof frame === 'string' ? frame : Buffer.from(frame))))
      return await this.#socket.receive()
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }

  #connect(): Request {
    const socket = new Request({ linger: 0 })
    socket.connect(this.#endpoint)
    return socket
  }
}

const rowsOf = (frame: Buffer): readonly (readonly number[])[] =>
  Array.from({ length: 20 }, (_, row) => Array.from({ length: 6 }, (_, i) => frame.readFloatLE(4 * (6 * row + i))))
