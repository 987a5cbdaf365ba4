import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { IncarnationBook, type Sighting } from './incarnation-book.ts'

const peer = deviceId('shed')
const at = (incarnation: number | bigint): Sighting => ({
  incarnation: BigInt(incarnation),
  address: `10.0.0.${incarnation}`
})

describe('processes of one identity', () => {
  it('that follow each other are one device that was restarted, however often', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 50 }), starts => {
        const book = new IncarnationBook()
        for (const incarnation of starts) {
          // Each opens several connections.
          for (let i = 0; i < 3; i++) expect(book.note(peer, at(incarnation))).toBeUndefined()
          expect(book.insteadOf(peer, incarnation)).toBeUndefined()
        }
      })
    )
  })

  it('that alternate are twins: the one with the smaller number stays, whoever came first', () => {
    for (const [first, second] of [
      [4, 9],
      [9, 4]
    ] as const) {
      const book = new IncarnationBook()
      expect([first, second, first].map(n => book.note(peer, at(n)))).toEqual([undefined, undefined, undefined])
      expect(book.note(peer, at(second))).toEqual({ peer, stays: at(4), goes: at(9) })
      expect(book.insteadOf(peer, 9n)).toEqual(at(4))
      expect(book.insteadOf(peer, 4n)).toBeUndefined()
      expect(book.note(peer, at(9))).toBeUndefined() // said once
    }
  })

  it('are not taken for twins by one message that came late', () => {
    const book = new IncarnationBook()
    expect([1, 2, 1, 3, 4].map(n => book.note(peer, at(n)))).toEqual(Array(5).fill(undefined))
  })

  it('that are many come down to one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 400, maxLength: 400 }), order => {
        const book = new IncarnationBook()
        for (const n of order) if (book.insteadOf(peer, BigInt(n)) === undefined) book.note(peer, at(n))
        const left = [0n, 1n, 2n, 3n].filter(n => book.insteadOf(peer, n) === undefined)
        expect(left).toContain(0n) // the smallest always stays
      })
    )
  })

  it('may go on with a restart of the one that stays', () => {
    const book = new IncarnationBook()
    for (const n of [4, 9, 4, 9]) book.note(peer, at(n))
    expect(book.note(peer, at(7))).toBeUndefined()
    expect(book.insteadOf(peer, 7n)).toBeUndefined()
    expect(book.insteadOf(peer, 9n)).toEqual(at(4))
  })

  it('are told apart by peer', () => {
    const book = new IncarnationBook()
    for (const n of [4, 9, 4, 9]) book.note(peer, at(n))
    expect(book.insteadOf(deviceId('porch'), 9n)).toBeUndefined()
  })
})
