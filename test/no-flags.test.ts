import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { programFiles } from './house-rules.ts'

/** The command line, and what is only started by it: a device's own log says commands to type. */
const SPEAKS_OF_FLAGS = /^(?:cli|node)\//
const STRINGS = /'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/.*|\/\*[\s\S]*?\*\//g
const FLAG = /(?<![\w-])--[a-z][\w-]*/g
/** Flags of other programs, and colours and sizes of a page. */
const OTHERS = /npm install --ignore-scripts|--wasm-[\w-]+|(?<=[\s("])--[\w-]+(?=[:)])/g

const flagsIn = (text: string): string[] =>
  [...text.matchAll(STRINGS)]
    .map(([found]) => found)
    .filter(found => !found.startsWith('/'))
    .flatMap(found => found.replace(OTHERS, '').match(FLAG) ?? [])

test('rooms that other programs use name options, not flags: the command line adds those (cli/with-flags.ts)', () => {
  const files = programFiles(fileURLToPath(new URL('../src', import.meta.url)))
  const found = files
    .filter(({ path }) => !SPEAKS_OF_FLAGS.test(path))
    .flatMap(({ path, text }) => flagsIn(text).map(flag => `src/${path}: ${flag}`))
  expect(found).toEqual([])
})

test('it sees flags in messages, and neither decrements nor comments', () => {
  expect(flagsIn("say('give --model FILE'); if (--left > 0) n-- // --port\n")).toEqual(['--model'])
  expect(flagsIn('throw new UserError(`--sink f: full`) /* --io */')).toEqual(['--sink'])
})
