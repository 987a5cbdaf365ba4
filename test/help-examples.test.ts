import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test('scenarios that help texts and the README name are there', () => {
  const cli = readdirSync('src/cli').filter(file => file.endsWith('-command.ts'))
  const texts = [...cli.map(file => `src/cli/${file}`), 'README.md', 'docs/simulation.md', 'docs/benchmarks.md']
  const named = texts.flatMap(file => readFileSync(file, 'utf8').match(/scenarios\/[\w-]+\.yaml/g) ?? [])
  expect(named.length).toBeGreaterThan(2)
  for (const file of named) expect({ file, exists: existsSync(file) }).toEqual({ file, exists: true })
})
