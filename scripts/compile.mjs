// Compiles TypeScript into dist, then joins what `tributary` loads when it starts, a thousand small files of its own and its
// packages', into fewer: more than half of the processor time until a device listens was spent on finding and reading
// them. The compiled files stay for whoever imports them; those that Node starts as scripts become one line that leads
// to the joined ones.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const compiled = join(root, 'dist', 'src')
const out = join(root, 'dist', 'joined')

/** What Node runs by itself: the command, and the threads and processes that it starts. */
const SCRIPTS = [
  'cli/main',
  'runtime/engine/lane',
  'runtime/engine/calibrate-process',
  'runtime/planning/plan-process',
  'runtime/onnx/cut-process'
].map(name => join(compiled, `${name}.js`))

/** They bring native code, WebAssembly or data, which they look for beside their own files. */
const APART = [
  'onnxruntime-node',
  'sharp',
  'fs-native-extensions',
  'highs',
  '@gutenye/*',
  '@fontsource/*',
  'vega',
  'vega-lite'
]

/** Files that are found from where a module stands are found from where it stood. */
const standing = {
  name: 'standing',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (!path.startsWith(compiled)) return undefined
      const place = JSON.stringify(relative(out, path).replaceAll('\\', '/'))
      const contents = readFileSync(path, 'utf8').replace(
        /\bimport\.meta\.url\b/g,
        `new URL(${place}, import.meta.url).href`
      )
      return { contents, loader: 'js' }
    })
}

rmSync(join(root, 'dist'), { recursive: true, force: true })
const { status } = spawnSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
  shell: process.platform === 'win32'
})
if (status !== 0) process.exit(status ?? 1)

await build({
  entryPoints: SCRIPTS,
  outdir: out,
  entryNames: '[name]',
  chunkNames: 'part-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: APART,
  plugins: [standing],
  // Of packages that are still CommonJS.
  banner: {
    js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);"
  },
  legalComments: 'none',
  logLevel: 'warning'
})
for (const script of SCRIPTS) {
  const [first = ''] = readFileSync(script, 'utf8').split('\n', 1)
  const head = first.startsWith('#!') ? `${first}\n` : ''
  const joined = relative(dirname(script), join(out, basename(script))).replaceAll('\\', '/')
  writeFileSync(script, `${head}import '${joined}'\n`)
}
