// Brings a clone to the point where it runs: packages installed, wire code generated, TypeScript compiled.
// Each step is skipped when its inputs have not changed since it last succeeded. Plain JavaScript, no packages:
// it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const NODE_NEEDED = [20, 19]

const say = text => process.stderr.write(`${text}\n`)

const fail = (what, remedy) => {
  say(`\n${what}\n${remedy}`)
  process.exit(1)
}

const filesUnder = path => {
  if (!existsSync(path)) return []
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .filter(file => !file.includes('/generated/'))
    .sort()
}

const digest = paths => {
  const hash = createHash('sha256').update(process.version)
  for (const path of paths) hash.update(path.slice(root.length)).update(readFileSync(path))
  return hash.digest('hex')
}

/** Run `command` unless `stamp` says that it already succeeded on the same inputs. */
const step = ({ name, stamp, inputs, command, remedy, isDone = () => false }) => {
  const path = join(root, stamp)
  const wanted = digest(inputs.flatMap(input => (existsSync(join(root, input)) ? [join(root, input)] : [])))
  if (existsSync(path) && readFileSync(path, 'utf8') === wanted) return
  if (isDone()) return writeFileSync(path, wanted)
  say(`${name} ...`)
  const started = Date.now()
  const result = spawnSync(command[0], command.slice(1), {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32'
  })
  if (result.status !== 0)
    fail(`${name} failed (${command.join(' ')}, exit ${result.status ?? result.signal}).`, remedy)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, wanted)
  say(`${name}: done in ${((Date.now() - started) / 1000).toFixed(0)} s`)
}

/** Whether what the lock names is in node_modules already, as npm itself notes it there: another's platform's packages apart. */
const isInstalled = () => {
  try {
    const packagesOf = file => JSON.parse(readFileSync(join(root, file), 'utf8')).packages
    const there = packagesOf('node_modules/.package-lock.json')
    return Object.entries(packagesOf('package-lock.json')).every(
      ([path, { integrity, optional }]) =>
        path === '' || (there[path] === undefined ? optional === true : there[path].integrity === integrity)
    )
  } catch {
    return false
  }
}

const relative = path => path.slice(root.length + 1)

export const prepare = () => {
  // Whoever tests has prepared: what is built does not change under tests that run.
  if (process.env['TRIBUTARY_BUILT'] === '1') return
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor < NODE_NEEDED[1])) {
    fail(
      `Tributary needs Node.js ${NODE_NEEDED.join('.')} or newer; this is ${process.versions.node}.`,
      'Install a newer Node.js from https://nodejs.org'
    )
  }
  step({
    name: 'Installing packages (npm ci)',
    stamp: 'node_modules/.tributary-installed',
    inputs: ['package.json', 'package-lock.json', '.npmrc'],
    isDone: isInstalled,
    command: ['npm', 'ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'],
    remedy:
      'npm must reach its registry. Check the network or proxy settings (npm config get registry), then run again.'
  })
  step({
    name: 'Generating wire code',
    stamp: 'src/runtime/generated/.stamp',
    inputs: [
      'buf.gen.yaml',
      'buf.yaml',
      'package-lock.json',
      'scripts/protoc-gen-straight.mjs',
      ...filesUnder(join(root, 'proto')).map(relative)
    ],
    command: ['npx', '--no-install', 'buf', 'generate'],
    remedy: 'The .proto files in proto/ did not compile; the lines above say where.'
  })
  step({
    name: 'Compiling TypeScript',
    stamp: 'dist/.stamp',
    inputs: [
      'tsconfig.json',
      'tsconfig.build.json',
      'package-lock.json',
      'scripts/compile.mjs',
      ...filesUnder(join(root, 'src')).map(relative),
      ...filesUnder(join(root, 'bench')).map(relative),
      ...filesUnder(join(root, 'proto')).map(relative)
    ],
    command: [process.execPath, 'scripts/compile.mjs'],
    remedy: 'The lines above say where the types do not fit.'
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepare()
