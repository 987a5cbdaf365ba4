import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitPictures } from './split-pictures.ts'

const picturesOf = async (bytes: Uint8Array, piece: number) => {
  const chunks = async function* () {
    for (let at = 0; at < bytes.byteLength; at += piece) yield bytes.subarray(at, at + piece)
  }
  const found: string[] = []
  for await (const { width, height, channels, pixels } of splitPictures(chunks()))
    found.push(`${width}x${height}x${channels} ${pixels[0]} ${pixels.byteLength}`)
  return found
}
const picture = (kind: 5 | 6, width: number, height: number, value: number): Buffer =>
  Buffer.concat([
    Buffer.from(`P${kind}\n${width} ${height}\n255\n`),
    Buffer.alloc(width * height * (kind === 5 ? 1 : 3), value)
  ])

test('pictures of any size follow each other, however their bytes come; a torn one is left out', async () => {
  const one = fc.tuple(
    fc.constantFrom<5 | 6>(5, 6),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.nat(255)
  )
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 5 }), fc.integer({ min: 1, max: 70 }), async (shapes, piece) => {
      const torn = Buffer.from('P6\n9 9\n255\n123')
      const bytes = Buffer.concat([...shapes.map(shape => picture(...shape)), torn])
      const expected = shapes.map(([kind, width, height, value]) => {
        const channels = kind === 5 ? 1 : 3
        return `${width}x${height}x${channels} ${value} ${width * height * channels}`
      })
      expect(await picturesOf(bytes, piece)).toEqual(expected)
    })
  )
})

test.each([
  ['P6\n99999 99999\n255\n', /99999x99999 has 29999400003 bytes; 1 to 268435456 are taken/],
  ['P6\n0 5\n255\n', /0x5 has 0 bytes/],
  ['\x89PNG\r\n', /is no picture/],
  ['P6\n12345678901234567890 1234567890\n255\n', /is no picture/]
])('%j is refused before memory is taken', async (text, message) => {
  await expect(picturesOf(Buffer.from(text, 'latin1'), 100)).rejects.toThrow(message)
})
