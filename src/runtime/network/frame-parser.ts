import { ELEMENT_TYPES, type ElementType, elementCount, type Tensor } from '../../core/tensor.ts'
import type { Frame, TensorHeader } from '../generated/tributary/v1/wire_pb.ts'
import { frameFromBytes } from '../generated/tributary/v1/wire_straight.ts'
import { ENCODING_NUMBERS, type EncodedTensor, type WireTensor } from '../ports/wire-tensor.ts'
import { type FrameLimits, MAX_NAME, MAX_RANK, MAX_TENSORS, PREFIX } from './frame-limits.ts'
import { pooledBytes } from './pooled-bytes.ts'

/** The peer broke the protocol; its stream cannot be read on. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
  readonly kind: 'malformed' | 'oversized'

  constructor(kind: FrameError['kind'], because: string) {
    super(because)
    this.kind = kind
  }
}

export interface ParsedFrame {
  readonly frame: Frame
  readonly tensors: readonly WireTensor[]
  /** Of its header, as it came. */
  readonly headerBytes: number
}

const malformed = (because: string): FrameError => new FrameError('malformed', because)

/**
 * Turns the bytes of a task stream into frames, whatever the sizes of the pieces they come in. Each tensor's bytes are
 * copied once, from the pieces into an ArrayBuffer of its own that is taken only when the header proved sound.
 *
 *   prefix (8 B) ──▶ header ──▶ tensor 0 ──▶ ... ──▶ tensor n-1 ──▶ frame, and from the start
 */
export class FrameParser {
  readonly #limits: FrameLimits
  readonly #onFrame: (parsed: ParsedFrame) => void
  readonly #prefix = new Uint8Array(PREFIX)
  readonly #prefixView = new DataView(this.#prefix.buffer)
  /** What is being filled, and how far. */
  #target = this.#prefix
  #filled = 0
  #stage: 'prefix' | 'header' | 'payload' = 'prefix'
  #payload = 0
  #header = 0
  #frame: Frame | undefined
  #tensors: WireTensor[] = []
  #current = 0

  constructor(limits: FrameLimits, onFrame: (parsed: ParsedFrame) => void) {
    this.#limits = limits
    this.#onFrame = onFrame
  }

  /** Whether a frame has begun and is not whole yet. */
  get midway(): boolean {
    return this.#stage !== 'prefix' || this.#filled > 0
  }

  /** @throws FrameError; nothing may be fed after that */
  feed(piece: Uint8Array): void {
    for (let at = 0; at < piece.byteLength; ) {
      const take = Math.min(piece.byteLength - at, this.#target.byteLength - this.#filled)
      this.#target.set(take === piece.byteLength ? piece : piece.subarray(at, at + take), this.#filled)
      this.#filled += take
      at += take
      while (this.#filled === this.#target.byteLength) {
        if (this.#finishStage()) break
      }
    }
  }

  /** What was being filled is full. @returns true when a frame was whole, so that the next begins */
  #finishStage(): boolean {
    switch (this.#stage) {
      case 'prefix':
        this.#finishPrefix()
        return false
      case 'header':
        this.#finishHeader()
        return this.#current === this.#tensors.length ? this.#finishFrame() : false
      case 'payload':
        this.#current++
        if (this.#current === this.#tensors.length) return this.#finishFrame()
        this.#fill(this.#tensors[this.#current]!.data)
        return false
    }
  }

  #fill(target: Uint8Array<ArrayBuffer>): void {
    this.#target = target
    this.#filled = 0
  }

  #finishPrefix(): void {
    const header = this.#prefixView.getUint32(0)
    this.#payload = this.#prefixView.getUint32(4)
    if (header === 0) throw malformed('a frame without a header')
    if (header > this.#limits.header) {
      throw new FrameError('oversized', `a header of ${header} B, the limit is ${this.#limits.header} B`)
    }
    if (this.#payload > this.#limits.payload) {
      throw new FrameError('oversized', `a payload of ${this.#payload} B, the limit is ${this.#limits.payload} B`)
    }
    this.#stage = 'header'
    this.#header = header
    this.#fill(pooledBytes(header))
  }

  #finishHeader(): void {
    try {
      this.#frame = frameFromBytes(this.#target)
    } catch (error) {
      throw malformed(`a header that cannot be decoded (${error instanceof Error ? error.message : error})`)
    }
    const { body, tensors } = this.#frame
    if (body.case === undefined) throw malformed('a frame of no known kind')
    if (body.case === 'probe' ? tensors.length > 1 : tensors.length > MAX_TENSORS) {
      throw malformed(`${tensors.length} tensors in one frame`)
    }
    const shapes = tensors.map(checkTensor)
    const sum = shapes.reduce((total, { size }) => total + size, 0)
    if (sum !== this.#payload) throw malformed(`a payload of ${this.#payload} B for tensors of ${sum} B`)
    const whole = shapes.reduce(
      (total, { type, dims, size }) => total + (type === 'encoded' ? 4 * elementCount(dims) : size),
      0
    )
    if (whole > this.#limits.payload)
      throw new FrameError('oversized', `tensors of ${whole} B when decoded, the limit is ${this.#limits.payload} B`)
    this.#tensors = shapes.map(emptyTensor)
    this.#stage = 'payload'
    this.#current = 0
    if (this.#tensors.length > 0) this.#fill(this.#tensors[0]!.data)
  }

  #finishFrame(): true {
    const parsed = { frame: this.#frame!, tensors: this.#tensors, headerBytes: this.#header }
    for (const tensor of this.#tensors) if (tensor.type === 'string') checkStrings(tensor)
    this.#stage = 'prefix'
    this.#frame = undefined
    this.#tensors = []
    this.#current = 0
    this.#fill(this.#prefix)
    this.#onFrame(parsed)
    return true
  }
}

const isElementType = (type: string): type is ElementType => Object.hasOwn(ELEMENT_TYPES, type)

type Shape = (Omit<Tensor, 'data'> | Omit<EncodedTensor, 'data'>) & { readonly size: number }

const checkTensor = (header: TensorHeader): Shape => {
  const { name, type, dims, bytes } = header
  if (name.length > MAX_NAME) throw malformed(`a tensor name of ${name.length} characters`)
  if (!isElementType(type)) throw malformed(`an element type "${type.slice(0, 32)}"`)
  if (dims.length > MAX_RANK) throw malformed(`a tensor of ${dims.length} dimensions`)
  const shape = dims.map(Number)
  const elements = elementCount(shape)
  const size = Number(bytes)
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(elements) || !Number.isSafeInteger(size)) {
    throw malformed(`a tensor of ${dims.join('x')} elements in ${bytes} B`)
  }
  if (header.encoding !== 0) return { ...checkEncoding(header, elements), name, dims: shape, size }
  const width = ELEMENT_TYPES[type]
  const fits = type === 'string' ? size >= 4 * elements && (elements > 0 || size === 0) : size === width * elements
  if (!fits) throw malformed(`${size} B for ${elements} elements of ${type}`)
  return { name, type, dims: shape, size }
}

const emptyTensor = (shape: Shape): WireTensor => {
  const { name, type, dims, size } = shape
  const data = new Uint8Array(size)
  if (type !== 'encoded') return { name, type, dims, data }
  const { encoding, scale, zeroPoint } = shape
  return { name, type, dims, encoding, scale, zeroPoint, data } as EncodedTensor
}

const checkEncoding = ({ type, encoding, scale, zeroPoint, bytes }: TensorHeader, elements: number) => {
  if (encoding !== ENCODING_NUMBERS.fp16 && encoding !== ENCODING_NUMBERS.int8)
    throw malformed(`an encoding ${encoding}`)
  if (type !== 'float32') throw malformed(`elements of ${type} that are encoded`)
  const width = encoding === ENCODING_NUMBERS.fp16 ? 2 : 1
  if (Number(bytes) !== width * elements) throw malformed(`${bytes} B for ${elements} elements of ${width} B, encoded`)
  if (encoding === ENCODING_NUMBERS.fp16) return { type: 'encoded', encoding: 'fp16', scale: 0, zeroPoint: 0 } as const
  if (!(scale > 0 && Number.isFinite(scale)) || zeroPoint > 255)
    throw malformed(`a scale of ${scale} and a zero point of ${zeroPoint}`)
  return { type: 'encoded', encoding: 'int8', scale, zeroPoint } as const
}

/** Each element is its length and that many bytes, and nothing is left over. */
const checkStrings = ({ name, dims, data }: Tensor): void => {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let at = 0
  for (let left = elementCount(dims); left > 0; left--) {
    if (at + 4 > data.byteLength) throw malformed(`the strings of "${name}" end early`)
    at += 4 + view.getUint32(at, true)
  }
  if (at !== data.byteLength) throw malformed(`the strings of "${name}" do not fill their ${data.byteLength} B`)
}
