import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readDer } from './read-der.ts'
import { writeDer } from './write-der.ts'

const value = fc.record({ tag: fc.integer({ min: 1, max: 255 }), content: fc.uint8Array({ maxLength: 70_000 }) })

it('what is written is read again', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 4 }), values => {
      const written = values.map(({ tag, content }) => writeDer(tag, content))
      const read = readDer(Buffer.concat(written))
      expect(read.map(({ tag }) => tag)).toEqual(values.map(({ tag }) => tag))
      read.forEach(({ content, whole }, i) => {
        expect(Buffer.compare(content, values[i]!.content)).toBe(0)
        expect(Buffer.compare(whole, written[i]!)).toBe(0)
      })
    }),
    { numRuns: 50 }
  )
})

it.each([
  ['ends in its tag', '30'],
  ['ends in its length', '308201'],
  ['ends before it should', '300301'],
  ['has no end', '3080'],
  ['is longer than anything can be', '3085ffffffffff'],
  ['is followed by half a value', '30000500'.slice(0, 6)]
])('a value that %s is refused', (_, hex) => {
  expect(() => readDer(Buffer.from(hex, 'hex'))).toThrow(/value/)
})
