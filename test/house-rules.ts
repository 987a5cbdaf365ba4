import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'

/**
 * The shape of the program in one place: each folder of src/, what it may import, and what it must not use. A room within a
 * room has rules of its own; whoever outside may import the outer one may import all that is in it.
 */
interface Room {
  readonly imports: readonly string[]
  /** Packages and `node:` modules; 'any' where input and output belong. */
  readonly packages: readonly string[] | 'any' | { readonly but: RegExp; readonly because: string }
  /** Neither real time nor true randomness nor the environment, not even through globals. */
  readonly pure: boolean
}

const PURE = { pure: true } as const
/** The files of src/ itself. */
const FACES = 'faces'
const SHELL = { packages: 'any', pure: false } as const

export const ROOMS: Readonly<Record<string, Room>> = {
  core: { imports: [], packages: ['zod'], ...PURE },
  model: {
    imports: ['core'],
    packages: {
      but: /^(?:onnxruntime|node:(?!crypto$|path$))/,
      because: 'reading and writing files is for model/files, and running a model is a port'
    },
    ...PURE
  },
  'model/files': {
    imports: ['core', 'model'],
    packages: { but: /^onnxruntime/, because: 'running a model is a port; runtime/engine brings ONNX Runtime' },
    pure: false
  },
  scheduler: { imports: ['core'], packages: ['zod'], ...PURE },
  planner: { imports: ['core'], packages: ['zod'], ...PURE },
  cluster: { imports: ['core', 'scheduler', 'planner'], packages: [], ...PURE },
  simulator: { imports: ['core', 'scheduler', 'planner', 'cluster'], packages: ['zod'], ...PURE },
  report: { imports: ['core'], packages: { but: /^node:/, because: 'a report is text made of values' }, ...PURE },
  // The portable device: no node: module, and no clock, socket or file but those that it is given.
  'runtime/ports': { imports: ['core', 'runtime/generated'], packages: ['zod'], ...PURE },
  'runtime/hash': { imports: ['runtime/ports'], packages: ['@noble/hashes'], ...PURE },
  'runtime/cluster': {
    imports: ['core', 'planner', 'cluster', 'runtime/ports', 'runtime/hash', 'runtime/generated'],
    packages: ['@bufbuild/protobuf'],
    ...PURE
  },
  'runtime/dispatch': {
    imports: ['core', 'scheduler', 'cluster', 'runtime/ports', 'runtime/cluster', 'runtime/generated'],
    packages: ['@bufbuild/protobuf'],
    ...PURE
  },
  'runtime/device': {
    imports: [
      ...['core', 'scheduler', 'planner', 'cluster'],
      ...['runtime/ports', 'runtime/cluster', 'runtime/dispatch', 'runtime/generated']
    ],
    packages: ['@bufbuild/protobuf', 'zod'],
    ...PURE
  },
  // What it is on a machine with Node.
  runtime: { imports: ['core', 'planner', 'runtime/ports'], ...SHELL },
  'runtime/engine': { imports: ['core', 'runtime', 'runtime/ports'], ...SHELL },
  'runtime/network': {
    imports: ['core', 'cluster', 'runtime', 'runtime/ports', 'runtime/state', 'runtime/generated'],
    ...SHELL
  },
  'runtime/state': { imports: ['core', 'runtime/ports', 'runtime/network'], ...SHELL },
  'runtime/io': { imports: ['core', 'model', 'runtime/ports', 'runtime/device', 'runtime/engine'], ...SHELL },
  'runtime/sink': { imports: ['core', 'runtime/ports', 'runtime/io', 'runtime/state'], ...SHELL },
  'runtime/onnx': {
    imports: [
      ...['core', 'model', 'runtime', 'runtime/ports', 'runtime/cluster', 'runtime/device', 'runtime/engine'],
      ...['runtime/state', 'runtime/generated']
    ],
    ...SHELL
  },
  'runtime/planning': { imports: ['core', 'planner', 'runtime'], ...SHELL },
  sources: { imports: ['core', 'runtime'], ...SHELL },
  telemetry: { imports: ['core', 'runtime', 'serving'], ...SHELL },
  serving: { imports: ['core', 'runtime'], ...SHELL },
  dashboard: { imports: ['core', 'planner', 'report', 'runtime', 'serving'], ...SHELL },
  // Words of emulation are known here, to who starts it, and to what says that numbers are emulated.
  emulation: { imports: ['core', 'runtime', 'runtime/ports'], ...SHELL },
  studies: { imports: ['core', 'model', 'scheduler', 'planner', 'simulator', 'report', 'runtime'], ...SHELL },
  node: { imports: ['core', 'scheduler', 'runtime'], ...SHELL },
  library: {
    imports: ['core', 'model', 'scheduler', 'runtime', 'serving', 'emulation', 'node', 'studies', 'telemetry'],
    ...SHELL
  },
  cli: {
    imports: [
      ...['core', 'model', 'scheduler', 'planner', 'simulator', 'report', 'runtime', 'serving', 'dashboard'],
      ...['emulation', 'studies', 'node', 'sources', 'telemetry']
    ],
    ...SHELL
  },
  [FACES]: {
    imports: [
      'core',
      'model',
      'scheduler',
      'planner',
      'simulator',
      'report',
      'runtime',
      'node',
      'library',
      'studies',
      'testing'
    ],
    packages: [],
    pure: true
  }
}

const GENERATED = 'runtime/generated'

/** What other programs import stands beside the rooms, and only shows what is in them. */
export const roomOf = (path: string): string => {
  const [outer, inner] = path.split('/').slice(0, -1)
  if (outer === undefined) return FACES
  const within = `${outer}/${inner}`
  return within === GENERATED || ROOMS[within] !== undefined ? within : outer
}

/** Of rooms within one another: whoever may import the outer one from outside may import the inner one. */
const mayImport = (folder: string, target: string): boolean => {
  const [outer] = target.split('/') as [string]
  const { imports } = ROOMS[folder]!
  return target === folder || imports.includes(target) || (folder.split('/')[0] !== outer && imports.includes(outer))
}

/** Files that read real time: everything else is given a Clock. */
// A page in a browser has its own.
const CLOCKS = [/^dashboard\/page\//, /^runtime\/system-clock\.ts$/, /^runtime\/engine\/lane-?[a-z-]*\.ts$/]
const REAL_TIME = /\b(?:Date\.now|new Date\b(?!\w|\(['"])|performance\.now|process\.hrtime|AbortSignal\.timeout)/
const TIMERS = /(?<![.\w])(?:setTimeout|setInterval)\s*\(/
const IMPURE = /\b(?:Math\.random|process\.(?:env|argv|cwd)|crypto\.(?:randomUUID|getRandomValues))\b/

/** What a device may stand for is not its business: decorators in emulation/ see to it. */
const EMULATION = /emulat/i
/** They pass on that a device stands for another: `emulated` in a status. */
const SAY_SO = /^runtime\/device\/device-(?:parts|reporter|status)\.ts$/

export interface SourceFile {
  /** Path below src/, with forward slashes: "core/units.ts". */
  readonly path: string
  readonly text: string
}

/** Comments may name what code may not use. Strings stay: an import is one. */
const withoutComments = (text: string): string =>
  text.replace(/('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\/.*|\/\*[\s\S]*?\*\//g, '$1')

const IMPORT = /(?:^|[\n;])\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g

const importsOf = (code: string): string[] => [...code.matchAll(IMPORT)].map(match => (match[1] ?? match[2])!)

const packageName = (specifier: string): string =>
  specifier.startsWith('node:')
    ? specifier
    : specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/')

const importViolation = (file: SourceFile, folder: string, specifier: string): string | undefined => {
  const room = ROOMS[folder]!
  if (specifier.startsWith('.')) {
    const target = roomOf(posix.join(posix.dirname(file.path), specifier))
    if (mayImport(folder, target)) return undefined
    const allowed = room.imports.length === 0 ? 'nothing outside itself' : `only ${room.imports.join(', ')}`
    return `src/${file.path} imports ${target}/ (${specifier}); ${folder}/ may import ${allowed}`
  }
  const name = packageName(specifier)
  if (room.packages === 'any') return undefined
  if ('but' in room.packages) {
    if (!room.packages.but.test(name)) return undefined
    return `src/${file.path} imports ${name}: ${room.packages.because}`
  }
  if (room.packages.includes(name)) return undefined
  return `src/${file.path} imports ${name}; of packages and node: modules ${folder}/ may use only ${room.packages.join(', ')}`
}

const useViolations = (file: SourceFile, room: Room, code: string): string[] => {
  const found: string[] = []
  code.split('\n').forEach((line, i) => {
    const at = `src/${file.path}:${i + 1}`
    const time = REAL_TIME.exec(line)?.[0] ?? TIMERS.exec(line)?.[0]
    if (time !== undefined && !CLOCKS.some(clock => clock.test(file.path))) {
      found.push(`${at} reads real time (${time}); take a Clock: only src/runtime/system-clock.ts and the lane may`)
    }
    if (file.path.startsWith('runtime/') && !SAY_SO.test(file.path) && EMULATION.test(line))
      found.push(`${at} speaks of emulation; that is for decorators of engine and network, in emulation/`)
    const impure = room.pure ? IMPURE.exec(line)?.[0] : undefined
    if (impure !== undefined) found.push(`${at} uses ${impure}; ${roomOf(file.path)}/ works on what it is given`)
  })
  return found
}

/** One sentence for each breach of the rules, in file order. Empty for a house in order. */
export const violations = (file: SourceFile): string[] => {
  const folder = roomOf(file.path)
  const room = ROOMS[folder]
  if (room === undefined)
    return [`src/${file.path} is in no room; known: ${Object.keys(ROOMS).join(', ')} (test/house-rules.ts)`]
  const code = withoutComments(file.text)
  const imports = importsOf(code).flatMap(specifier => importViolation(file, folder, specifier) ?? [])
  const timers = importsOf(code).some(specifier => /^(?:node:)?timers\b/.test(specifier))
  const timing =
    timers && !CLOCKS.some(clock => clock.test(file.path))
      ? [`src/${file.path} imports timers; take a Clock: only src/runtime/system-clock.ts and the lane may`]
      : []
  return [...imports, ...timing, ...useViolations(file, room, code)]
}

/** The program's own files: no tests, no test tools, no generated code. */
export const programFiles = (root: string): SourceFile[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter(path => !path.startsWith('testing/') && !path.includes('/generated/'))
    .sort()
    .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))
