import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** What programs that join a cluster see in their editors. */
const FILES = [
  'library/cluster-events',
  'library/cluster-status',
  'library/join-cluster',
  'library/join-options',
  'library/outcome',
  'library/source',
  'library/source-options',
  'runtime/io/tensor-like'
]
const EXPORTED = /^export (?:interface|type|const|class) \w/
const MEMBER = /^ {2}(?:readonly )?\w+\??[:(<]/
/** Words that mean the same wherever they stand in a tensor. */
const PLAIN = /^ {2}readonly (?:name|type|dims|data)\b/

const undocumented = (text: string): string[] => {
  const lines = text.split('\n')
  let isInterface = false
  return lines.filter((line, i) => {
    const isExported = EXPORTED.test(line)
    if (isExported) isInterface = line.startsWith('export interface')
    else if (line.startsWith('}')) isInterface = false
    const isMember = isInterface && !isExported && MEMBER.test(line) && !PLAIN.test(line)
    // An overload is told by the one before it.
    const before = lines[i - 1] ?? ''
    const isTold = before.trimEnd().endsWith('*/') || (isMember && before.startsWith(`${/^ +\w+\(/.exec(line)?.[0]}`))
    return (isExported || isMember) && !isTold
  })
}

test.each(FILES)('each type of %s, and each of its members, says in a hover what it is', file => {
  expect(undocumented(readFileSync(new URL(`../src/${file}.ts`, import.meta.url), 'utf8'))).toEqual([])
})

test('a type or member without a word is seen', () => {
  expect(undocumented('export interface A {\n  readonly b: string\n  /** C. */\n  readonly c: string\n}')).toEqual([
    'export interface A {',
    '  readonly b: string'
  ])
})
