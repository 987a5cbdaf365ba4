import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Line, splitLines } from './split-lines.ts'

const inPieces = async function* (bytes: Uint8Array, cuts: readonly number[]) {
  let from = 0
  for (const cut of [...cuts.map(n => n % (bytes.byteLength + 1)).sort((a, b) => a - b), bytes.byteLength]) {
    yield bytes.subarray(from, cut)
    from = cut
  }
}
const linesOf = async (text: string, cuts: readonly number[], most: number): Promise<Line[]> => {
  const lines: Line[] = []
  for await (const line of splitLines(inPieces(Buffer.from(text), cuts), most)) lines.push(line)
  return lines
}

test('however the bytes come in pieces, the lines are the same; long ones are told by their length alone', async () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'ä', '€', ' '), maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(200)), async (lines, cuts) => {
      const expected = lines.flatMap((text): Line[] => {
        const bytes = Buffer.byteLength(text)
        if (bytes > 8) return [{ kind: 'tooLong', bytes }]
        return text.trim() === '' ? [] : [{ kind: 'line', text: text.trim() }]
      })
      expect(await linesOf(lines.join('\n'), cuts, 8)).toEqual(expected)
    })
  )
})
