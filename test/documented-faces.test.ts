import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SRC = join(import.meta.dirname, '..', 'src')
const FACES = readdirSync(SRC).filter(name => name.endsWith('.ts'))
const EXPORT = /export (?:type )?(?:\{([^}]*)\}|\*) from '\.\/([^']+)'/g
const DECLARED = /^export (?:interface|type|class|const|(?:async )?function\*?) (\w+)/gm

/** Names that a face shows of a file: those listed, or all of it. */
const shown = (listed: string | undefined, text: string): readonly string[] =>
  listed === undefined
    ? [...text.matchAll(DECLARED)].map(([, name]) => name!)
    : listed.split(',').flatMap(entry => /^\s*(?:type )?(\w+)/.exec(entry)?.[1] ?? [])

test('whatever other programs import says in its own words what it is', () => {
  const silent: string[] = []
  let count = 0
  for (const face of FACES)
    for (const [, listed, file] of readFileSync(join(SRC, face), 'utf8').matchAll(EXPORT)) {
      const text = readFileSync(join(SRC, file!), 'utf8')
      for (const name of shown(listed, text)) {
        const at = new RegExp(`^export (?:interface|type|class|const|(?:async )?function\\*?) ${name}\\b`, 'm').exec(
          text
        )
        if (at === null) continue // shown on by this file
        count++
        if (!text.slice(0, at.index).endsWith('*/\n')) silent.push(`${face}: ${name} (${file})`)
      }
    }
  expect(silent).toEqual([])
  expect(count).toBeGreaterThan(100)
})
