// Compiles TypeScript into dist, then joins what `tributary` loads when it starts, a thousand small files of its own and its
// packages', into fewer: more than half of the processor time until a device listens was spent on finding and reading
// them. The compiled files stay for whoever imports them; those that Node starts as scripts, and those that other
// programs import, become one line that leads to the joined ones. So the package that is packed needs few others, and
// brings what they ask for: their licences, and of the types those that its own lead to.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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

/** What other programs import. */
const FACES = ['index', 'simulate', 'plan', 'model', 'testing'].map(name => join(compiled, `${name}.js`))

/** They bring native code, WebAssembly or data, which they look for beside their own files. */
const APART = [
  'onnxruntime-node',
  'sharp',
  'fs-native-extensions',
  'highs',
  '@gutenye/*',
  '@fontsource/*',
  'vega',
  'vega-lite',
  'fastify',
  '@fastify/busboy',
  'zeromq',
  '@opentelemetry/*'
]

/** What is named one by one can be left out where nobody names it. */
const WHOLE_VALIDATOR = /^import \{ z \} from 'zod'/m

/** Files that are found from where a module stands are found from where it stood. */
const standing = {
  name: 'standing',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (!path.startsWith(compiled)) return undefined
      const place = JSON.stringify(relative(out, path).replaceAll('\\', '/'))
      const contents = readFileSync(path, 'utf8')
        .replace(/\bimport\.meta\.url\b/g, `new URL(${place}, import.meta.url).href`)
        .replace(WHOLE_VALIDATOR, "import * as z from 'zod'")
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

const { metafile } = await build({
  entryPoints: [...SCRIPTS, ...FACES],
  metafile: true,
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
  // The text of what is loaded stays in memory, and where one comment is not plain ASCII all of it takes two bytes a letter.
  // Names stay, and lines that are short enough to be found by their number.
  minifyWhitespace: true,
  lineLimit: 160,
  sourcemap: 'external',
  sourcesContent: false,
  logLevel: 'warning'
})
/** Nobody loads them, and they are not packed: by them a profile says where a function stood. */
const maps = join(root, 'dist', 'maps')
mkdirSync(maps)
for (const file of readdirSync(out).filter(name => name.endsWith('.map'))) renameSync(join(out, file), join(maps, file))
for (const script of [...SCRIPTS, ...FACES]) {
  const [first = ''] = readFileSync(script, 'utf8').split('\n', 1)
  const head = first.startsWith('#!') ? `${first}\n` : ''
  const joined = relative(dirname(script), join(out, basename(script))).replaceAll('\\', '/')
  writeFileSync(script, `${head}${FACES.includes(script) ? 'export * from' : 'import'} '${joined}'\n`)
}

/** The page of the dashboard: what a node gives to browsers. */
const page = join(root, 'src', 'dashboard', 'page')
await build({
  entryPoints: [join(page, 'main.tsx')],
  outfile: join(root, 'dist', 'page', 'page.js'),
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: ['es2022'],
  tsconfig: join(page, 'tsconfig.json'),
  legalComments: 'none',
  logLevel: 'warning'
})
await build({
  entryPoints: [join(page, 'page.css')],
  outfile: join(root, 'dist', 'page', 'page.css'),
  bundle: true,
  minify: true,
  logLevel: 'warning'
})
copyFileSync(join(page, 'index.html'), join(root, 'dist', 'page', 'index.html'))

/** The types that other programs see: those of the faces, and what these lead to, in packages too, which are brought along. */
const types = join(root, 'dist', 'types')
const FROM = /(\b(?:from|import)\s*\(?\s*['"])([^'"]+)(['"])/g
const isRelative = specifier => /^\.{1,2}\//.test(specifier)
/** Where a declaration file finds another. */
const declarations = (file, specifier) => {
  const path = isRelative(specifier) ? join(dirname(file), specifier) : fileURLToPath(import.meta.resolve(specifier))
  return path.replace(/\.[jt]s$/, '.d.ts')
}
/** Those of packages stand beside those of the rooms. */
const placeOf = file =>
  file.startsWith(compiled)
    ? join(types, relative(compiled, file))
    : join(types, 'packages', relative(join(root, 'node_modules'), file))
/** Of messages only what they hold is of interest, and of a validator not its words in fifty languages. */
const MESSAGE = 'type Message<Name extends string> = { $typeName: Name };\n'
const trimmed = text =>
  text
    .replace(/^export \* as locales .*\n/gm, '')
    .replace(/^import type \{ Message \} from "@bufbuild\/protobuf";\n/gm, MESSAGE)
    .replace(/^import .*from "@bufbuild\/.*\n/gm, '')
    .replace(/^(?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?export declare const .*\bGen(?:File|Message|Enum)\b.*\n/gm, '')
const copied = new Set()
const copyTypes = file => {
  if (copied.has(file)) return
  copied.add(file)
  // What is imported for its effect alone has no types.
  const text = trimmed(readFileSync(file, 'utf8').replace(/^import '[^']+';\n/gm, ''))
  const place = placeOf(file)
  mkdirSync(dirname(place), { recursive: true })
  const leading = text.replace(FROM, (all, before, specifier, after) => {
    if (specifier.startsWith('node:')) return all
    const target = declarations(file, specifier)
    copyTypes(target)
    const way = relative(dirname(place), placeOf(target))
      .replaceAll('\\', '/')
      .replace(/\.d\.ts$/, '.js')
    return `${before}${way.startsWith('.') ? way : `./${way}`}${after}`
  })
  writeFileSync(place, leading)
}
for (const face of FACES) copyTypes(face.replace(/\.js$/, '.d.ts'))

/** Joined packages are given on: with their licences. */
const packageOf = path => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]
const packages = new Set(Object.keys(metafile.inputs).flatMap(path => packageOf(path) ?? []))
const licences = [...packages].sort().map(folder => {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const file = readdirSync(join(root, folder)).find(name => /^(licen[cs]e|copying)/i.test(name))
  const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim()
  return `${name} ${version} (${license})\n\n${text}`
})
writeFileSync(join(out, 'LICENSES.txt'), `${licences.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`)
