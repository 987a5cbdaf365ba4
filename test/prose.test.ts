import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sentencesOf, wordsIn } from './sentences.ts'

const MOST_WORDS = 35
const MOST_TERMS = 30
const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
const within = (folder: string): string[] =>
  readdirSync(new URL(`../${folder}`, import.meta.url))
    .filter(name => name.endsWith('.md'))
    .map(name => `${folder}/${name}`)

const decisions = within('docs/decisions')

const PAGES = ['README.md', 'ARCHITECTURE.md', ...within('docs')]

test.each([...PAGES, ...decisions])(`%s has no sentence over ${MOST_WORDS} words`, file => {
  const long = sentencesOf(read(file))
    .filter(sentence => wordsIn(sentence) > MOST_WORDS)
    .map(sentence => `${wordsIn(sentence)} words: ${sentence}`)
  expect(long).toEqual([])
})

/** As GitHub makes them of headings. */
const anchorsOf = (markdown: string): string[] =>
  [...markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
  )

test.each([...PAGES, ...decisions])('%s links to files and headings that are there', page => {
  const dead = [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].filter(([, file, anchor]) => {
    const target =
      file === '' ? new URL(`../${page}`, import.meta.url) : new URL(file!, new URL(`../${page}`, import.meta.url))
    if (!existsSync(target)) return true
    return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor)
  })
  expect(dead.map(([link]) => link)).toEqual([])
})

test('sentences are told apart', () => {
  const text =
    '# Head\nOne is `a b c`. Two, e.g. this [link](x.md)?\n\n- item one\n- item two\n\n| a b | c |\n```\nno\n```\n'
  const sentences = ['Head', 'One is `a b c`.', 'Two, e.g  this link?', 'item one', 'item two', 'a b', 'c']
  expect(sentencesOf(text).map(s => s.replace('  ', ' '))).toEqual(sentences.map(s => s.replace('  ', ' ')))
  expect(wordsIn('One is `a b c` - done.')).toBe(4)
})

test(`the glossary has at most ${MOST_TERMS} terms, each once`, () => {
  const terms = [...read('docs/glossary.md').matchAll(/^\| ([^|]+?) +\|/gm)].map(([, term]) => term!).slice(2)
  expect(terms.length).toBeGreaterThan(10)
  expect(terms.length).toBeLessThanOrEqual(MOST_TERMS)
  expect(new Set(terms).size).toBe(terms.length)
})

const PARTS = ['Decided', 'Because', 'Instead of', 'Costs', 'Revisit if']

test.each(decisions)('%s says what was decided, why, instead of what, what it costs, and when to think again', file => {
  const text = read(file)
  expect(text).toMatch(/^# \d+\. \S/)
  expect(Number(/^# (\d+)/.exec(text)![1])).toBe(Number(/(\d{4})-/.exec(file)![1]))
  const parts = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
  expect(parts).toEqual(PARTS)
  for (const part of text.split(/^## .+$/m).slice(1)) expect(part.trim()).not.toBe('')
})
