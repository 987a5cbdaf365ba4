import { create, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ELEMENT_TYPES, type ElementType, elementCount, type Tensor } from '../../core/tensor.ts'
import { bytes } from '../../core/units.ts'
import { type Frame, FrameSchema, TaskSchema, TensorHeaderSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { EncodedTensor } from '../ports/wire-tensor.ts'
import { encodeFrame } from './encode-frame.ts'
import { FRAME_LIMITS } from './frame-limits.ts'
import { FrameError, FrameParser, type ParsedFrame } from './frame-parser.ts'

const body: Frame['body'] = { case: 'task', value: create(TaskSchema, { source: 'cam@porch', datum: 7n, done: 2 }) }
const small = { header: bytes(10_000), payload: bytes(100_000) }

const packStrings = (texts: readonly string[]): Uint8Array<ArrayBuffer> => {
  const parts = texts.map(text => {
    const encoded = new TextEncoder().encode(text)
    const part = new Uint8Array(4 + encoded.length)
    new DataView(part.buffer).setUint32(0, encoded.length, true)
    part.set(encoded, 4)
    return part
  })
  return new Uint8Array(Buffer.concat(parts))
}

const numeric = (Object.keys(ELEMENT_TYPES) as ElementType[]).filter(type => type !== 'string')
const tensor: fc.Arbitrary<Tensor> = fc.oneof(
  fc
    .record({ name: fc.string(), type: fc.constantFrom(...numeric), dims: fc.array(fc.nat(5), { maxLength: 4 }) })
    .chain(({ name, type, dims }) => {
      const size = elementCount(dims) * ELEMENT_TYPES[type]
      return fc
        .uint8Array({ minLength: size, maxLength: size })
        .map(data => ({ name, type, dims, data: new Uint8Array(data) }))
    }),
  fc
    .record({ name: fc.string(), texts: fc.array(fc.string({ unit: 'grapheme' })) })
    .map(({ name, texts }) => ({ name, type: 'string' as const, dims: [texts.length], data: packStrings(texts) }))
)

const frames = fc.array(fc.array(tensor, { maxLength: 5 }), { minLength: 1, maxLength: 4 })

const parse = (stream: Uint8Array, cuts: readonly number[], limits = FRAME_LIMITS): ParsedFrame[] => {
  const parsed: ParsedFrame[] = []
  const parser = new FrameParser(limits, frame => parsed.push(frame))
  const edges = [0, ...cuts.map(cut => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length]
  for (let i = 1; i < edges.length; i++) parser.feed(stream.subarray(edges[i - 1], edges[i]))
  return parsed
}

const bytesOf = (tensors: readonly Tensor[], id = 1n): Buffer =>
  Buffer.concat(encodeFrame(id, body, tensors, undefined, FRAME_LIMITS).pieces)

/** A frame whose prefix and header say what we like. */
const forge = (frame: Parameters<typeof create<typeof FrameSchema>>[1], payload: number): Buffer => {
  const header = toBinary(FrameSchema, create(FrameSchema, frame))
  const head = Buffer.alloc(8)
  head.writeUInt32BE(header.length)
  head.writeUInt32BE(payload, 4)
  return Buffer.concat([head, header])
}

describe('the frames of a task stream', () => {
  it('come out as they went in, wherever the stream is cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat()), (sent, cuts) => {
        const stream = Buffer.concat(sent.map((tensors, i) => bytesOf(tensors, BigInt(i))))
        const parsed = parse(stream, cuts)
        expect(parsed.map(({ frame }) => frame.id)).toEqual(sent.map((_, i) => BigInt(i)))
        expect(parsed.map(({ tensors }) => tensors)).toEqual(sent)
        for (const { data } of parsed.flatMap(({ tensors }) => tensors)) {
          expect([data.byteOffset, data.buffer.byteLength]).toEqual([0, data.byteLength])
        }
      })
    )
  })

  it('are sent without a copy of the tensors', () => {
    const data = new Uint8Array(1000)
    const { pieces } = encodeFrame(1n, body, [{ name: 'x', type: 'uint8', dims: [1000], data }], undefined, small)
    expect(pieces.some(piece => piece.buffer === data.buffer)).toBe(true)
  })

  it('are refused, or read, but never anything else, whatever bytes come', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 })
    fc.assert(
      fc.property(frames, flips, (sent, changes) => {
        const stream = Buffer.concat(sent.map(tensors => bytesOf(tensors)))
        for (const [at, value] of changes) stream[at % stream.length] = value
        try {
          parse(stream, [3, 9, 20], small)
        } catch (error) {
          if (!(error instanceof FrameError)) throw error
        }
      }),
      { numRuns: 500 }
    )
  })

  const task = { id: 1n, body }
  const one = (header: { type?: string; dims?: bigint[]; bytes?: bigint; name?: string }) => ({
    ...task,
    tensors: [{ name: 'x', type: 'float32', dims: [1n], bytes: 4n, ...header }]
  })
  const wrong: [string, Buffer, RegExp][] = [
    ['an empty header', Buffer.alloc(8), /without a header/],
    ['no known kind', forge({ id: 1n }, 0), /no known kind/],
    ['an unknown element type', forge(one({ type: 'complex' }), 4), /element type "complex"/],
    ['a prototype as a type', forge(one({ type: 'toString' }), 4), /element type/],
    ['bytes that do not fit the shape', forge(one({ dims: [2n] }), 4), /4 B for 2 elements/],
    ['a payload that is not the sum', forge(one({}), 5), /a payload of 5 B for tensors of 4 B/],
    ['a shape beyond all numbers', forge(one({ dims: [2n ** 40n, 2n ** 40n] }), 4), /elements/],
    ['too many dimensions', forge(one({ dims: Array(65).fill(1n) }), 4), /65 dimensions/],
    ['too long a name', forge(one({ name: 'x'.repeat(5000) }), 4), /name of 5000/],
    ['strings without room for lengths', forge(one({ type: 'string', dims: [2n] }), 4), /4 B for 2 elements/],
    ['bytes for no strings', forge(one({ type: 'string', dims: [0n] }), 4), /4 B for 0 elements/],
    [
      'too many tensors',
      forge({ ...task, tensors: Array(5000).fill({ type: 'uint8', dims: [0n] }) }, 0),
      /5000 tensors/
    ]
  ]
  it.each(wrong)('are malformed with %s', (_, stream, because) => {
    expect(() => parse(stream, [])).toThrow(because)
  })

  it('are malformed with strings longer than their bytes', () => {
    const data = new Uint8Array([9, 0, 0, 0, 65])
    const stream = bytesOf([{ name: 's', type: 'string', dims: [1], data }])
    expect(() => parse(stream, [])).toThrow(/strings of "s"/)
  })

  it('are refused for their size before any memory is taken for them', () => {
    const huge = Buffer.alloc(8)
    huge.writeUInt32BE(100)
    huge.writeUInt32BE(0xffffffff, 4)
    const before = process.memoryUsage().arrayBuffers
    expect(() => parse(huge, [], small)).toThrow(/payload of 4294967295 B, the limit is 100000 B/)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6)
  })

  it('are refused by their sender when the receiver would', () => {
    const data = new Uint8Array(100_001)
    expect(() =>
      encodeFrame(1n, body, [{ name: 'x', type: 'uint8', dims: [100_001], data }], undefined, small)
    ).toThrow(/100001 B are over the limit/)
  })
})

describe('encoded tensors', () => {
  const half: EncodedTensor = {
    ...{ name: 'h', type: 'encoded', dims: [2, 3], encoding: 'fp16', scale: 0, zeroPoint: 0 },
    data: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  }
  const code: EncodedTensor = {
    ...{ name: 'c', type: 'encoded', dims: [3], encoding: 'int8', scale: 0.1, zeroPoint: 128 },
    data: new Uint8Array([0, 128, 255])
  }

  it('come out as they went in', () => {
    const { pieces } = encodeFrame(1n, body, [half, code], undefined, FRAME_LIMITS)
    expect(parse(Buffer.concat(pieces), [5, 60])[0]!.tensors).toEqual([half, code])
  })

  it('of which nothing is said are the same bytes as ever', () => {
    const header = { name: 'x', type: 'float32', dims: [2n], bytes: 8n }
    const plain: Tensor = { name: 'x', type: 'float32', dims: [2], data: new Uint8Array(8) }
    expect(toBinary(TensorHeaderSchema, create(TensorHeaderSchema, header)).length).toBe(3 + 9 + 3 + 2)
    expect(bytesOf([plain]).subarray(0, -8)).toEqual(forge({ id: 1n, body, tensors: [header] }, 8))
  })

  const header = { name: 'x', type: 'float32', dims: [4n], bytes: 4n, encoding: 2, scale: 0.5, zeroPoint: 3 }
  it.each([
    ['of an unknown encoding', { ...header, encoding: 3 }, /an encoding 3/],
    ['of another type', { ...header, type: 'uint8' }, /elements of uint8 that are encoded/],
    ['with too few bytes', { ...header, bytes: 3n }, /3 B for 4 elements/],
    ['with as many as fp16 takes', { ...header, encoding: 1 }, /4 B for 4 elements of 2 B/],
    ['without a scale', { ...header, scale: 0 }, /a scale of 0/],
    ['with a scale that is no number', { ...header, scale: Number.NaN }, /a scale of NaN/],
    ['with a zero point that is no code', { ...header, zeroPoint: 256 }, /a zero point of 256/]
  ])('%s are refused', (_, tensor, because) => {
    expect(() => parse(forge({ id: 1n, body, tensors: [tensor] }, Number(tensor.bytes)), [])).toThrow(because)
  })

  it('that would be too large when decoded are refused before memory is taken', () => {
    const tensor = { ...header, dims: [50_000n], bytes: 50_000n }
    expect(() => parse(forge({ id: 1n, body, tensors: [tensor] }, 50_000), [], small)).toThrow(/200000 B when decoded/)
  })
})
