import { expect, test } from 'vitest'
import { UserError } from '../core/user-error.ts'
import { withFlags } from './with-flags.ts'

test.each([
  ['portInUse', { port: 6174 }, /^it\b.*--port N.*--any-port$/],
  ['portInUse', { address: 'a:1' }, /^it \(--listen HOST:PORT\)$/],
  ['noFreePort', { first: 1, last: 2 }, /^--any-port: it; .*--port N$/],
  ['cannotListen', { address: 'a:1' }, /^it \(--listen HOST:PORT\)$/],
  ['keyMissing', { address: '10.0.0.1:1' }, /^--join 10\.0\.0\.1:1 needs the cluster's key.*--cluster-key FILE$/],
  ['keyLost', { file: 'k' }, /^it \(--join - .*--state/],
  ['invitesDiffer', {}, /^--join: it$/],
  ['otherCluster', { file: 'k' }, /^it \(--state names the folder\)$/],
  ['stateRefused', { folder: 'f' }, /^--state it$/],
  ['stateInUse', { folder: 'f', name: 'shed' }, /^--name shed: its state it$/],
  ['costsUnusable', { file: 'c.json' }, /^it with: tributary profile MODEL --out c\.json$/],
  ['otherMachine', { file: 'c.json', machine: 'm' }, /^it: tributary profile MODEL --out OTHER-FILE$/],
  [
    'costsMissing',
    { costs: 'c.json', model: 'm.onnx', shapes: ['x=1x3'], maxBlocks: 4 },
    /^it with: tributary profile m\.onnx --shape x=1x3 --blocks 4 --out c\.json$/
  ]
])('what mends %s is the flag that the command line has for it', (code, facts, words) => {
  expect(withFlags(new UserError('it', { code, facts }))).toMatch(words)
})

test('shapes are those of --shape', () => {
  const words = (message: string) => withFlags(new UserError(message, { code: 'badShape', facts: { input: 'x' } }))
  expect(words('a.onnx: input "x" has the dynamic shape [n, 4]; fix it, for example with shape x=1x4')).toBe(
    'a.onnx: input "x" has the dynamic shape [n, 4]; fix it, for example with --shape x=1x4'
  )
  expect(words('shape x=1x4 does not fit: a.onnx declares [3]')).toMatch(/^--shape x=1x4 does not fit/)
  expect(words('shape x=2x5 shape y=1: cannot; try another shape')).toBe(
    '--shape x=2x5 --shape y=1: cannot; try another shape'
  )
  const noInput = new UserError('a.onnx has no input "z"', { code: 'noSuchInput', facts: { input: 'z' } })
  expect(withFlags(noInput)).toBe('--shape z: a.onnx has no input "z"')
})

test.each(['sink r.jsonl: is a folder', 'state f: full', 'source "cam": no', 'preset raw: no', 'io a.yaml: no'])(
  '%s is said of the flag',
  message => expect(withFlags(new UserError(message))).toBe(`--${message}`)
)

test('a source may be refused for its preset', () => {
  const error = new UserError('source dir:a: preset raw fits none of its 2 files')
  expect(withFlags(error)).toBe('--source dir:a: --preset raw fits none of its 2 files')
})

test('what names its own flag, or has none, stays as it is', () => {
  expect(withFlags(new UserError('--sink x: full'))).toBe('--sink x: full')
  expect(withFlags(new UserError('it', { code: 'newOne' }))).toBe('it')
  expect(withFlags(new UserError('sources wait'))).toBe('sources wait')
})
