import { describe, expect, test } from 'vitest'
import { parseBounded } from './parse-bounded.ts'

describe('parseBounded', () => {
  test.each(['{"a":[1,{"b":"[[[[,,,\\"\\\\"}],"c":null}', '"\\\\"', '[]', `${'['.repeat(100)}${']'.repeat(100)}`])(
    'reads %s as JSON.parse does',
    text => expect(parseBounded(text)).toEqual(JSON.parse(text))
  )

  test('brackets and commas in texts do not count, however many', () => {
    const text = JSON.stringify([`"${'['.repeat(1000)}\\`, ','.repeat(5e6)])
    expect(parseBounded(text)).toEqual(JSON.parse(text))
  })

  test.each(['', '{', '"', '"\\"', 'nothing'])('of %s it says what JSON.parse says', text => {
    expect(() => parseBounded(text)).toThrow(SyntaxError)
  })

  test('what is too deep, or has too many values, is refused before memory is taken for it', () => {
    expect(() => parseBounded('['.repeat(1e8))).toThrow('more than 100 lists within each other')
    expect(() => parseBounded('{"a":'.repeat(101))).toThrow('more than 100 lists within each other')
    expect(() => parseBounded(`[${'1,'.repeat(2 ** 22 + 1)}1]`)).toThrow('there are more than 4194304 values')
    expect(parseBounded(`[${'[],'.repeat(1000)}1]`)).toHaveLength(1001)
  })
})
