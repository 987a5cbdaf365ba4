import { existsSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SOURCES = join(ROOT, 'src')
const BUILT = join(ROOT, 'dist', 'src')

/** They lead to joined files, which have copies of all that they bring. */
const FACES = new Set(['index.ts', 'simulate.ts', 'plan.ts', 'model.ts', 'testing.ts'].map(name => join(SOURCES, name)))

/** The built module that a source was compiled to; undefined where it is none, or is to be taken as it is. */
const builtOf = (path: string): string | undefined => {
  if (!path.startsWith(SOURCES + sep) || !path.endsWith('.ts') || path.endsWith('.test.ts') || FACES.has(path)) return
  const built = join(BUILT, `${path.slice(SOURCES.length + 1, -'.ts'.length)}.js`)
  return existsSync(built) ? built : undefined
}

/**
 * Tests import what was compiled, as Node itself loads it: the runner neither transforms those files nor asks for each of their imports,
 * and what computes takes half the time. For who has just built all of it, as `npm test` has.
 */
export const builtModules = () => ({
  name: 'built-modules',
  enforce: 'pre' as const,
  resolveId: (source: string, importer: string | undefined): string | undefined =>
    importer === undefined || !source.startsWith('.') ? undefined : builtOf(resolve(dirname(importer), source))
})
