import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type YamuxHeader, YamuxReader } from './yamux-reader.ts'

interface Heard {
  readonly header: YamuxHeader
  readonly data: readonly number[]
}

const frame = (
  type: number,
  flag: number,
  streamID: number,
  length: number,
  data: readonly number[] = []
): number[] => [
  ...[0, type, flag >> 8, flag & 0xff],
  ...[0, 0, 0, streamID],
  ...[length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff],
  ...data
]

const read = (bytes: readonly number[], sizes: readonly number[], most = 1000): Heard[] => {
  const heard: Heard[] = []
  const reader = new YamuxReader({
    onFrame: header => heard.push({ header, data: [] }),
    onData: (header, piece) => heard.push({ header, data: [...piece] }),
    most
  })
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (sizes[i % sizes.length] ?? 1)
    reader.feed(Uint8Array.from(bytes.slice(at, end)))
    at = end
  }
  return heard
}

test('in whatever pieces frames come, the same data reach the same streams, and their ends come behind them', () => {
  const data = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 })
  const frames = fc.array(
    fc.record({ stream: fc.integer({ min: 1, max: 3 }), flag: fc.integer({ min: 0, max: 15 }), data })
  )
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 })
  fc.assert(
    fc.property(frames, sizes, (said, pieces) => {
      const bytes = said.flatMap(({ stream, flag, data: of }) => [
        ...frame(1, 1, stream, 77),
        ...frame(0, flag, stream, of.length, of)
      ])
      const heard = read(bytes, pieces).filter(({ header }) => header.type === 0)
      const rest = [...heard]
      for (const { stream, flag, data: of } of said) {
        const own: Heard[] = []
        do own.push(rest.shift()!)
        while (own.reduce((sum, { data: part }) => sum + part.length, 0) < of.length)
        expect(own.flatMap(({ data: part }) => part)).toEqual(of)
        for (const { header, data: part } of own)
          expect(header).toMatchObject({ streamID: stream, length: part.length })
        expect(own.reduce((all, { header }) => all | header.flag, 0)).toBe(flag)
        for (const { header } of own.slice(0, -1)) expect(header.flag & 12).toBe(0)
        for (const { header } of own.slice(1)) expect(header.flag & 3).toBe(0)
      }
      expect(rest).toEqual([])
    })
  )
})

test('a frame of another version, or one that claims more than may come, is refused before its data', () => {
  expect(() => read([9, ...frame(0, 0, 1, 1).slice(1)], [12])).toThrow('version 9')
  expect(() => read(frame(0, 0, 1, 1001), [12])).toThrow('more than the window of 1000 B')
})
