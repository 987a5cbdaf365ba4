import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { programFiles } from './house-rules.ts'

/** Hands on what is said without how grave it is. */
const DROPS_LEVEL = /\btext => [\w.#?]*\bsay\(text\)|\(text: string\): void => [\w.#?]*\bsay\((?!.*level)/i

test('nothing on the way to the log drops the level of what is said', () => {
  const files = programFiles(fileURLToPath(new URL('../src', import.meta.url)))
  const found = files
    .filter(
      ({ path }) =>
        path.startsWith('runtime/') ||
        path.startsWith('cli/node/') ||
        path.startsWith('node/') ||
        path.startsWith('library/')
    )
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, i) => (DROPS_LEVEL.test(line) ? [`${path}:${i + 1}`] : []))
    )
  expect(found).toEqual([])
})

test('the rule can be broken', () => {
  for (const line of [
    'say: text => this.#say(text)',
    'const say = (text: string): void => log.say(text)',
    `const tell = (text: string): void => say(text + 1)`
  ])
    expect(line).toMatch(DROPS_LEVEL)
  expect('say: (text, level) => log.say(text, level)').not.toMatch(DROPS_LEVEL)
  expect('const tell = (text: string, level?: LogLevel): void => say(text, level)').not.toMatch(DROPS_LEVEL)
})
