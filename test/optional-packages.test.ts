import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { programFiles } from './house-rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const { peerDependenciesMeta } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
}
const optional = Object.keys(peerDependenciesMeta).filter(name => peerDependenciesMeta[name]!.optional)

/** Loaded with the file that says so: without the package, nothing of the command would start. */
const staticImports = (text: string): string[] =>
  [...text.matchAll(/^(?:import|export)\b(?! type\b)[^'"`;]*?from\s*['"]([^'"]+)['"]/gm)].map(([, from]) => from!)

test('optional packages are loaded where they are needed, and not before', () => {
  const found = programFiles(`${root}/src`).flatMap(({ path, text }) =>
    staticImports(text)
      .filter(from => optional.some(name => from === name || from.startsWith(`${name}/`)))
      .map(from => `src/${path} imports ${from}; load it with core/with-packages.ts`)
  )
  expect(found).toEqual([])
  expect(optional).toContain('sharp')
  expect(staticImports("import sharp from 'sharp'\nimport type { A } from 'vega'")).toEqual(['sharp'])
})
