import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { programFiles, ROOMS, roomOf, violations } from './house-rules.ts'

const files = programFiles(fileURLToPath(new URL('../src', import.meta.url)))

describe('the rooms of the house', () => {
  const rooms = Object.keys(ROOMS).filter(room => files.some(file => roomOf(file.path) === room))
  for (const room of rooms) {
    const own = files.filter(file => roomOf(file.path) === room)
    it(`${room}/ keeps its arrows and uses only what it may`, () => {
      expect(own.flatMap(violations)).toEqual([])
    })
  }

  it('every file is in a room', () => {
    expect(files.filter(file => ROOMS[roomOf(file.path)] === undefined).map(file => file.path)).toEqual([])
    expect(files.length).toBeGreaterThan(20)
  })
})

describe('ARCHITECTURE.md', () => {
  const text = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8')
  const rows = text
    .split('\n')
    .filter(line => /^\| (`[\w/]+`|faces) /.test(line))
    .map(line => line.split('|').map(cell => cell.trim().replaceAll('`', '')))
  const told = new Map(rows.map(([, room, , imports, pure]) => [room!, { imports: imports!, pure: pure! }]))
  const held = Object.entries(ROOMS).filter(([room]) => room === 'faces' || files.some(f => roomOf(f.path) === room))

  it('has a row for each room, and no other', () => {
    expect([...told.keys()].sort()).toEqual(held.map(([room]) => room).sort())
  })

  it.each(held)('says what %s may import, and whether it is pure', (room, { imports, pure }) => {
    const there = imports.filter(other => other === 'testing' || held.some(([name]) => name === other))
    expect(told.get(room)).toEqual({ imports: there.join(', ') || '-', pure: pure ? 'yes' : 'no' })
  })
})

describe('the rules can be broken', () => {
  const breach = (path: string, text: string): string => violations({ path, text }).join('\n')

  it.each([
    ['an arrow that points outward', 'core/a.ts', "import { x } from '../runtime/b.ts'", 'imports runtime/'],
    ['a type import too', 'planner/a.ts', "import type {\n  X\n} from '../scheduler/b.ts'", 'imports scheduler/'],
    ['an export from elsewhere', 'scheduler/a.ts', "export * from '../planner/b.ts'", 'imports planner/'],
    ['an import at run time', 'model/a.ts', "const x = await import('../runtime/b.ts')", 'imports runtime/'],
    ['test tools in the program', 'cli/a.ts', "import { x } from '../testing/b.ts'", 'imports testing/'],
    ['a package in the core', 'core/a.ts', "import { parse } from 'yaml'", 'imports yaml'],
    ['files in a policy', 'scheduler/a.ts', "import { readFileSync } from 'node:fs'", 'imports node:fs'],
    ['ONNX Runtime in the model', 'model/a.ts', "import ort from 'onnxruntime-node'", 'imports onnxruntime-node'],
    ['a side effect import', 'core/a.ts', "import 'core-js/full'", 'imports core-js'],
    ['the real clock', 'runtime/device/a.ts', 'const t = performance.now()', 'reads real time (performance.now)'],
    ['a timer', 'cli/a.ts', '  setTimeout(() => {}, 5)', 'reads real time (setTimeout('],
    ['timers by import', 'cli/a.ts', "import { setTimeout as wait } from 'node:timers/promises'", 'imports timers'],
    ['true randomness', 'simulator/a.ts', 'const x = Math.random()', 'uses Math.random'],
    [
      'a module of Node in the portable device',
      'runtime/device/a.ts',
      "import { join } from 'node:path'",
      'imports node:path'
    ],
    [
      'an adapter in the portable device',
      'runtime/device/a.ts',
      "import { x } from '../network/b.ts'",
      'runtime/network/'
    ],
    ['the device in a port', 'runtime/ports/a.ts', "import { x } from '../device/b.ts'", 'imports runtime/device/'],
    ['an adapter beside it', 'runtime/engine/a.ts', "import { x } from '../network/b.ts'", 'imports runtime/network/'],
    ['emulation in the product', 'runtime/network/a.ts', 'const isEmulated = true', 'speaks of emulation'],
    ['a file in no room', 'misc/a.ts', '', 'is in no room']
  ])('%s is reported', (_, path, text, message) => {
    expect(breach(path, text)).toContain(message)
  })

  it.each([
    ['arrows that point inward', 'runtime/a.ts', "import { x } from '../core/b.ts'\nimport fs from 'node:fs'"],
    ['neighbours in the same room', 'core/sub/a.ts', "import { x } from '../b.ts'\nimport { z } from 'zod'"],
    ['a room within one that it may import', 'studies/a.ts', "import { x } from '../runtime/device/b.ts'"],
    ['a folder within a room that has no rules of its own', 'core/a.ts', "import { x } from './sub/b.ts'"],
    ['a status that says it', 'runtime/device/device-status.ts', 'emulated: z.boolean()'],
    ['words in comments', 'core/a.ts', '// performance.now, import "node:fs"\n/* Math.random() */'],
    ['a clock that was given', 'cli/a.ts', 'await clock.sleep(seconds(1)); const t = clock.now()'],
    ['the one real clock', 'runtime/system-clock.ts', 'performance.now()']
  ])('%s: nothing to report', (_, path, text) => {
    expect(breach(path, text)).toBe('')
  })
})
