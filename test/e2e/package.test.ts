import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tinyOnnx } from '../../src/testing/tiny-onnx.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MIB = 2 ** 20

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** With a home of its own: what is kept where nothing else is said is kept in there. */
const run = (cwd: string, command: string, args: readonly string[], timeout = 60_000): Promise<Ran> =>
  new Promise(resolve => {
    const env = { ...process.env, HOME: cwd, USERPROFILE: cwd, npm_config_cache: npmCache }
    const shell = process.platform === 'win32'
    execFile(command, args, { cwd, timeout, env, shell, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
    )
  })
const node = (...args: string[]): Promise<Ran> => run(app, process.execPath, args)

let npmCache: string | undefined
let scratch: string
let app: string
let packed: {
  readonly filename: string
  readonly size: number
  readonly unpackedSize: number
  readonly files: { path: string }[]
}
/** Why it is linked and not installed; '' where it is installed. */
let because = ''

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tributary-package-'))
  app = join(scratch, 'app')
  await mkdir(app)
  npmCache = (await run(ROOT, 'npm', ['config', 'get', 'cache'])).stdout.trim()
  if (npmCache.startsWith(ROOT) || !existsSync(npmCache)) npmCache = join(process.env['HOME'] ?? '', '.npm')
  const { stdout } = await run(ROOT, 'npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch])
  packed = JSON.parse(stdout)[0]
  await writeFile(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }')
  const tgz = join(scratch, packed.filename)
  // The line of the README.
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0', '--fetch-timeout=20000']
  const installed = await run(app, 'npm', ['install', '--ignore-scripts', ...flags, tgz], 45_000)
  if (installed.code !== 0) await link(tgz, installed.stderr)
  const relu = (input: string, output: string) => ({ opType: 'Relu', input: [input], output: [output] })
  const model = tinyOnnx({
    inputs: { x: ['float32', [1, 4]] },
    outputs: { y: ['float32', [1, 4]] },
    nodes: [relu('x', 'a'), relu('a', 'b'), relu('b', 'y')]
  })
  await writeFile(join(app, 'model.onnx'), model)
}, 120_000)

afterAll(() => rm(scratch, { recursive: true, force: true, maxRetries: 5 }))

/** Without cache and registry: the package itself unpacked, what it depends on from the repository. */
const link = async (tgz: string, stderr: string): Promise<void> => {
  because = /npm error (.*)/.exec(stderr)?.[1] ?? 'npm install did not end'
  process.stderr.write(
    `package: not installed but linked, since neither npm's cache nor a registry has it: ${because}\n`
  )
  const modules = join(app, 'node_modules')
  await rm(modules, { recursive: true, force: true })
  await mkdir(join(modules, 'tributary'), { recursive: true })
  await run(scratch, 'tar', ['-xzf', tgz, '-C', join(modules, 'tributary'), '--strip-components=1'])
  const { dependencies } = JSON.parse(await readFile(join(modules, 'tributary', 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(ROOT, 'node_modules', name), join(modules, name))
  }
}

const MAIN = 'node_modules/tributary/dist/src/cli/main.js'

/** Bytes below a folder, links not followed. */
const bytesIn = async (folder: string): Promise<number> => {
  let sum = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) sum += (await lstat(join(entry.parentPath, entry.name))).size
  return sum
}

describe('what is packed', () => {
  test('is a few megabytes: what runs, types, licences, and no tests', () => {
    const paths = packed.files.map(({ path }) => path)
    expect(packed.unpackedSize).toBeLessThan(10 * MIB)
    expect(paths.length).toBeLessThan(650)
    expect(paths.filter(path => /\.test\.|\.map$|bench|(?<!\.d)\.ts$/.test(path))).toEqual([])
    expect(paths).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist/joined/LICENSES.txt']))
  })

  test('says one version everywhere, and brings every file that it names', async () => {
    const { version, exports, bin, files } = JSON.parse(
      await readFile(join(app, 'node_modules/tributary/package.json'), 'utf8')
    )
    expect((await node(MAIN, '--version')).stdout).toBe(`${version}\n`)
    expect((await node('-p', "import('tributary').then(t => console.log(t.version)), ''")).stdout.trim()).toBe(version)
    const named = [
      ...Object.values(exports).flatMap(face => (typeof face === 'string' ? face : Object.values(face!))),
      bin.tributary,
      ...files
    ]
    const missing = named.filter(file => !existsSync(join(app, 'node_modules/tributary', file)))
    expect({ named: named.length > 20, missing }).toEqual({ named: true, missing: [] })
  })

  test('types lead to no package', async () => {
    const types = join(app, 'node_modules/tributary/dist/types')
    const files = (await readdir(types, { recursive: true })).filter(name => name.endsWith('.ts'))
    const foreign: string[] = []
    for (const file of files)
      for (const [, from] of (await readFile(join(types, file), 'utf8')).matchAll(/from ['"]([^.'"][^'"]*)['"]/g))
        foreign.push(`${file}: ${from}`)
    expect({ some: files.length > 10, foreign }).toEqual({ some: true, foreign: [] })
  })
})

/** The README's own lines. */
const readmeLines = async (): Promise<string> => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  return /## As a library[\s\S]*?```js\n([\s\S]*?)```/.exec(readme)![1]!
}
const ANSWER = /y: \{\s*type: 'float32',\s*dims: \[ 1, 4 \],\s*data: Float32Array\(4\) \[ 1, 2, 3, 4 \]\s*\}/

describe('in another program', () => {
  test("the README's lines run in plain JavaScript", async () => {
    await writeFile(join(app, 'readme.mjs'), await readmeLines())
    const { code, stdout, stderr } = await node('readme.mjs')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(ANSWER)
    expect(stdout).toMatch(/\na result\n$/)
  })

  test("the guide's cluster in memory runs too, and loses nothing with a device", async () => {
    const guide = await readFile(join(ROOT, 'docs/library.md'), 'utf8')
    await writeFile(join(app, 'memory.mjs'), /## For tests[\s\S]*?```js\n([\s\S]*?)```/.exec(guide)![1]!)
    expect(await node('memory.mjs')).toEqual({ code: 0, stdout: '40 results\n', stderr: '' })
  })

  test('and in TypeScript, checked strictly against the packed types', async () => {
    await writeFile(join(app, 'readme.ts'), await readmeLines())
    await writeFile(join(app, 'faces.ts'), TYPED)
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const flags = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--target', 'es2022']
    const checked = await node(
      tsc,
      ...flags,
      '--module',
      'nodenext',
      '--types',
      '',
      '--outDir',
      'out',
      'readme.ts',
      'faces.ts'
    )
    expect(checked).toMatchObject({ code: 0, stdout: '' })
    expect((await node('out/readme.js')).stdout).toMatch(ANSWER)
    expect(JSON.parse((await node('out/faces.js')).stdout)).toEqual({
      status: 'optimal',
      policies: ['confluence', 'mine'],
      parts: 2,
      now: 2,
      broken: [],
      code: 'badOption',
      option: 'memory'
    })
  })

  test('an example runs two devices, and an unknown subpath or option is refused', async () => {
    await writeFile(join(app, 'two-devices.mjs'), await readFile(join(ROOT, 'examples/two-devices.mjs')))
    const { code, stdout, stderr } = await node('two-devices.mjs', 'model.onnx', '12')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/shed is there\n(.*\n)*frame-11: [\d.]+ ms\n(.*\n)*12 of 12 computed\n$/)
    expect((await node('-e', "import('tributary/cli/main')")).stderr).toMatch(/ERR_PACKAGE_PATH_NOT_EXPORTED/)
  })
})

/** What researchers import, in the words of the types. */
const TYPED = `
import { joinCluster, TributaryError, type Outcome } from 'tributary'
import { readModel } from 'tributary/model'
import { plan, type ScenarioObject } from 'tributary/plan'
import { type CreatePolicy, simulate } from 'tributary/simulate'
import { createManualClock, createRng, type Engine, EventClock, MemoryDevice, MemoryHub, type Network, seconds, bytesPerSecond, simulateDevices } from 'tributary/testing'

const scenario: ScenarioObject = {
  devices: { porch: { speed: 0.25, memory: '64MiB' }, shed: {} },
  models: { toy: { blocks: [{ work: '20ms', weights: '4MiB' }, { work: '35ms' }], activations: ['588KiB', '196KiB', '4KB'] } },
  sources: [{ name: 'cam', device: 'porch', model: 'toy', count: 10 }]
}
/** Everything at home. */
const mine: CreatePolicy = host => ({
  name: 'mine',
  reportInterval: () => seconds(1),
  admit: ({ model, home }) => ({ kind: 'go', steps: [{ device: home, until: host.world.models[model]!.work.length }] }),
  next: ({ model, home }) => ({ kind: 'go', steps: [{ device: home, until: host.world.models[model]!.work.length }] }),
  rank: ({ datum }) => datum,
  sent: () => {},
  arrived: () => {},
  report: () => ({ backlog: host.backlog(), commitments: [], received: [] }),
  remark: () => ({ backlog: host.backlog(), commitments: [], received: [] }),
  heard: () => {}
})
const { status } = await plan(scenario)
const { runs } = await simulate(scenario, { policies: ['confluence', { name: 'mine', create: mine }] })
const parts = await (await readModel('model.onnx')).cut({ parts: 2 })
const clock = createManualClock()
await clock.advance(seconds(2))
const { broken } = await simulateDevices(1)
const events = new EventClock()
const wire = { latency: seconds(0.01), rate: bytesPerSecond(1e6) }
const hub = new MemoryHub({ clock: events, rng: createRng(1), shape: () => wire })
const { device, network } = new MemoryDevice({ hub, name: 'porch' })
export const ports = (engine: Engine, on: Network): unknown => [device.status().devices[0]!.name, network, engine, on]
const error = await joinCluster({ memory: 'much' }).catch((e: unknown) => e)
if (!(error instanceof TributaryError)) throw error
const causeOf = (outcome: Outcome): string => (outcome.kind === 'failed' ? outcome.cause : outcome.kind)
export const words: (outcome: Outcome) => string = causeOf
const { code, facts } = error
console.log(JSON.stringify({ status, policies: runs.map(run => run.policy), parts: parts.length, now: clock.now(), broken, code, option: facts['option'] }))
`

describe('the command', () => {
  test('starts from there', async () => {
    const inspected = await node(MAIN, 'inspect', 'model.onnx', '--json')
    expect(inspected.code).toBe(0)
    expect(JSON.parse(inspected.stdout).nodes).toBe(3)
    const shim = join(app, 'node_modules/.bin/tributary')
    if (because === '') expect((await run(app, shim, ['--version'])).code).toBe(0)
  })

  test('asks in one line for what only the demo and figures need', async () => {
    const demo = await node(MAIN, 'demo')
    expect(demo).toMatchObject({ code: 2, stdout: '' })
    expect(demo.stderr).toMatch(
      /^tributary: the demo needs packages .*: npm install --ignore-scripts @gutenye\/ocr-models .*\n$/
    )
    const scenario = join(ROOT, 'scenarios/small-inputs.yaml')
    const report = await node(MAIN, 'simulate', scenario, '--report', 'out')
    expect(report).toMatchObject({ code: 2, stdout: '' })
    expect(report.stderr).toMatch(
      /^tributary: a report with figures needs .*: npm install --ignore-scripts vega vega-lite\n$/
    )
  })

  test('asks for what reads images only where a source has images', async () => {
    const node = ['node', '--name', 'a', '--state', 'state', '--model', 'model.onnx', '--sink', 's.jsonl']
    const refused = await run(app, process.execPath, [MAIN, ...node, '--source', 'cam=dir:.', '--preset', 'imagenet'])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(
      /tributary: --preset imagenet: a source of images needs a package .*: npm install --ignore-scripts sharp\n$/
    )
  })

  test('a device alone is less than 250 MB when the binaries of other platforms are pruned', async context => {
    context.skip(because !== '', `linked, not installed: ${because}`)
    const modules = join(app, 'node_modules')
    const before = await bytesIn(modules)
    const dry = JSON.parse((await node(MAIN, 'prune', '--dry-run', '--json')).stdout)
    expect(await bytesIn(modules)).toBe(before)
    // The line of the README.
    const shim = await run(app, 'npx', ['--no-install', 'tributary', 'prune', '--json'])
    const { removed, bytes } = JSON.parse(shim.stdout)
    expect({ platforms: removed.length, bytes }).toEqual({ platforms: 4, bytes: dry.bytes })
    expect(await bytesIn(modules)).toBe(before - bytes)
    expect((before - bytes) / 1e6).toBeLessThan(250)
    expect((await bytesIn(join(modules, 'tributary'))) / 1e6).toBeLessThan(10)
    expect(existsSync(join(modules, 'sharp'))).toBe(false)
    expect((await node(MAIN, 'profile', 'model.onnx', '--json')).code).toBe(0)
    expect((await node(MAIN, 'prune')).stdout).toMatch(/^nothing to remove/)
  })
})
