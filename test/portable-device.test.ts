import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { describe, expect, it } from 'vitest'
import type { ClusterRun } from './portable/cluster.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** As a page would load it: no polyfills, and nothing left outside. @throws where a module is not to be had in a browser */
const bundle = async (contents: string, options: BuildOptions = {}) => {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    ...{ bundle: true, write: false, metafile: true, minify: true, logLevel: 'silent', absWorkingDir: root },
    ...{ platform: 'browser', format: 'iife', globalName: 'tributary' },
    ...options
  })
  return { text: outputFiles![0]!.text, files: Object.keys(metafile!.inputs).length }
}

/** A package may ask whether there is a process: as a browser answers. */
const askedAsInBrowser: Plugin = {
  name: 'asked as in a browser',
  setup: ({ onLoad }) =>
    onLoad({ filter: /node_modules.*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/\btypeof process\b/g, '"undefined"')
    }))
}

/** What a text uses of what Node has and a browser has not, without declaring it or asking whether it is there. */
const namesOfNode = async (contents: string): Promise<readonly string[]> => {
  const inject = ['test/portable/names-of-node.js']
  const { text } = await bundle(contents, { inject, plugins: [askedAsInBrowser], minify: false, minifySyntax: true })
  return [...text.matchAll(/name\("(\w+)"\)/g)].map(([, name]) => name!)
}

const DEVICE = [
  "export { createDevice } from './src/runtime/device/device.ts'",
  "export { SourceRunner } from './src/runtime/device/source-runner.ts'",
  "export { POLICIES } from './src/scheduler/policies.ts'"
].join('\n')
const CLUSTER = "export { runCluster } from './test/portable/cluster.ts'"

/** What a browser has, of what the device takes: a context of its own has nothing but the language. */
const BROWSER = {
  AbortController,
  AbortSignal,
  DOMException,
  queueMicrotask,
  structuredClone,
  TextDecoder,
  TextEncoder
}

describe('the device in a browser', () => {
  it('is bundled with its sources, codecs and policies, and asks for no module and no name of Node', async () => {
    const { text, files } = await bundle(DEVICE)
    expect(await namesOfNode(DEVICE)).toEqual([])
    expect(text).not.toContain('node:')
    const [size, packed] = [text.length, gzipSync(text).byteLength].map(bytes => Math.round(bytes / 1000))
    console.info(`the portable device: ${size} kB, ${packed} kB packed, of ${files} files`)
    expect(packed).toBeLessThan(250)
  })

  it('would not be, did it ask for one', async () => {
    await expect(bundle("export * from './src/runtime/engine/create-engine.ts'")).rejects.toThrow('"node:')
    await expect(bundle("export * from './src/runtime/node-hash.ts'")).rejects.toThrow('"node:crypto"')
    expect(await namesOfNode('export const here = (process: number) => Buffer.alloc(process)')).toEqual(['Buffer'])
  })

  it('joins others, loads what is placed on it and computes, where there is neither require nor process nor Buffer', async () => {
    const { text } = await bundle(CLUSTER)
    const context = createContext({ ...BROWSER })
    runInContext(text, context)
    expect(runInContext('[typeof require, typeof process, typeof Buffer].join()', context)).toBe(
      'undefined,undefined,undefined'
    )
    const { runCluster } = context['tributary'] as { runCluster(turn: (work: () => void) => void): Promise<ClusterRun> }
    const { results, expected, ran, broken } = await runCluster(setImmediate)
    expect([...broken]).toEqual([])
    expect([...results].sort()).toEqual([...expected].sort())
    expect(ran.length).toBeGreaterThan(1)
  })
})
