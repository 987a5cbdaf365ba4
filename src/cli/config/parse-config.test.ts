import { Command } from 'commander'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { UserError } from '../../core/user-error.ts'
import { parseNodeOptions } from '../node/node-options.ts'
import { command } from '../node-command.ts'
import { effectiveFlags } from './effective-flags.ts'
import { parseConfig } from './parse-config.ts'
import { printConfig } from './print-config.ts'

/** `tributary node` with a command line, as it is before it runs. */
const nodeCommand = (...args: string[]): Command => {
  const node = new Command('node')
  for (const option of command.options) node.addOption(option)
  node.parse(args, { from: 'user' })
  return node
}

const optionsOf = (text: string, ...args: string[]) => {
  const node = nodeCommand(...args)
  const config = parseConfig(text, '/etc/t/node.yaml', node.options)
  const { flags, origin } = effectiveFlags(node, config)
  return { options: parseNodeOptions(flags as never, origin), printed: printConfig(node, flags) }
}

const refusal = (text: string, ...args: string[]): string => {
  try {
    optionsOf(text, ...args)
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as Error).message.replaceAll('/etc/t/', '')
  }
  return ''
}

const WHOLE = `
name: porch
port: 4001
memory: 64MiB
mdns: false
seed: 007
policy: local
models:
  - { file: rec.onnx, name: ocr }
  - /srv/other.onnx
sources:
  - { name: cam, dir: ./images, model: ocr, window: 8, arrivals: every:200ms }
  - door=synthetic:5,model=other
sink: out/results.jsonl
preset: ppocr-rec
blocks: { ocr: 3 }
cut-at: { other: [a, b] }
`

test('keys are flags, lists and mappings stand for repeated ones, and paths are relative to the file', () => {
  const { options } = optionsOf(WHOLE)
  expect(options).toMatchObject({ name: 'porch', port: 4001, mdns: false, seed: '007', policy: 'local' })
  expect(options.memory).toBe(64 * 2 ** 20)
  expect(options.models).toEqual([
    { file: '/etc/t/rec.onnx', name: 'ocr' },
    { file: '/srv/other.onnx', name: 'other' }
  ])
  expect(options.sources).toEqual([
    'cam=dir:/etc/t/images,model=ocr,window=8,arrivals=every:200ms',
    'door=synthetic:5,model=other'
  ])
  expect(options.sinks).toMatchObject([{ path: '/etc/t/out/results.jsonl' }])
  expect(options.maxBlocks.get('ocr')).toBe(3)
  expect(options.cutAt.get('other')).toEqual(['a', 'b'])
})

test('models are named by fingerprint in a file as on the command line', () => {
  const { options } = optionsOf(`
models: [{ file: rec.onnx, name: ocr@0123456789ab }]
sources: [{ name: cam, dir: ./images, model: ocr@0123456789ab }]
accept: [other@0123456789abcdef]
preset: raw
sink: out.jsonl
`)
  expect(options.models).toEqual([{ file: '/etc/t/rec.onnx', name: 'ocr', fingerprint: '0123456789ab' }])
  expect(options.sources).toEqual(['cam=dir:/etc/t/images,model=ocr@0123456789ab'])
  expect(options.accepts).toEqual(['other@0123456789abcdef'])
})

test('the command line wins over the file, which wins over the defaults', () => {
  const { options } = optionsOf(WHOLE, '--port', '9', '--model', 'mine.onnx:ocr', '--model', 'o.onnx:other')
  expect(options.port).toBe(9)
  expect(options.models.map(({ file }) => file)).toEqual(['mine.onnx', 'o.onnx'])
  expect(options.threads).toBe(1)
  expect(options.policy).toBe('local')
})

test('what is printed is a config that means the same', () => {
  const { options, printed } = optionsOf(WHOLE, '--threads', '2')
  expect(parse(printed)).toMatchObject({ threads: 2, policy: 'local', 'any-port': false, mdns: false })
  expect(optionsOf(printed).options).toEqual(options)
  expect(optionsOf(printed).printed).toBe(printed)
})

test('what is printed means the same wherever it is kept', () => {
  const given = ['--name', 'Infinity', '--source', 'cam=dir:images', '--sink', 'out.jsonl', '--model', 'm.onnx:ocr']
  const { printed } = optionsOf('', ...given, '--preset', 'raw', '--state', './state')
  expect(printed).toContain('name: Infinity\n')
  expect(parse(printed)).toMatchObject({
    source: [`cam=dir:${process.cwd()}/images`],
    sink: [`${process.cwd()}/out.jsonl`],
    model: [`${process.cwd()}/m.onnx:ocr`],
    state: `${process.cwd()}/state`
  })
})

test('secrets in addresses are not printed, and that is said; what stands for them is refused until they are written there', () => {
  const sources = ['cam=video:rtsp://me:sesame@cam/1', 'door=video:http://cam/snap?user=me&password=sesame,fps=5']
  const sinks = [
    'webhook:https://host/in?token=sesame',
    'mqtt://me:sesame@broker/t',
    'mqtts://me@broker/t,secret-file=/p'
  ]
  const given = [...sources.flatMap(text => ['--source', text]), ...sinks.flatMap(text => ['--sink', text])]
  const { printed } = optionsOf('', ...given, '--preset', 'raw', '--trace-endpoint', 'https://me:sesame@host/v1')
  expect(printed).not.toContain('sesame')
  expect(printed).toMatch(/^# Passwords and tokens in addresses are not printed: write them where \*\*\* stands\.\n/)
  expect(parse(printed)).toMatchObject({
    source: ['cam=video:rtsp://***@cam/1', 'door=video:http://cam/snap?user=me&password=***,fps=5'],
    sink: ['webhook:https://host/in?token=***', 'mqtt://***@broker/t', 'mqtts://me@broker/t,secret-file=/p'],
    'trace-endpoint': 'https://***@host/v1'
  })
  const refused = refusal(printed).split('\n')
  expect(refused).toHaveLength(5)
  for (const line of refused)
    expect(line).toMatch(
      /^node\.yaml:\d+: (source|sink|trace-endpoint): \*\*\* stands for what was not printed: write the/
    )
  const mended = printed.replaceAll('://***@', '://me:sesame@').replaceAll('=***', '=sesame')
  expect(optionsOf(mended).options).toEqual(
    optionsOf('', ...given, '--preset', 'raw', '--trace-endpoint', 'https://me:sesame@host/v1').options
  )
})

test('everything that is wrong is told at once, each with its line and the nearest known word', () => {
  expect(
    refusal('prt: 4001\nmdns: perhaps\nsources:\n  - { name: cam, dir: ., windw: 3 }\n  - { name: door }\n').split('\n')
  ).toEqual([
    'node.yaml:1: unknown key "prt", did you mean "port"?',
    'node.yaml:2: mdns must be true or false',
    expect.stringMatching(/^node\.yaml:4: source: unknown key "windw", did you mean "window"\? \(known: name, dir, /),
    expect.stringMatching(/^node\.yaml:5: source "door" needs one of dir, /)
  ])
  const values = 'port: 70000\nspeed: 2\nsink: a\npreset: raw\nsource:\n- cam=dir:.\n- cam=synthetic:0\n'
  expect(refusal(values).split('\n').sort()).toEqual([
    'node.yaml:1: port "70000" must be a whole number from 0 to 65535',
    'node.yaml:2: speed "2" must be a number from 0.000001 to 1',
    'node.yaml:7: source "cam=synthetic:0": synthetic:0 needs how many made-up data there are, 1 to 10000000'
  ])
})

test('a value of the command line that is wrong has no line', () => {
  expect(refusal('port: 4001', '--port', 'x')).toBe('--port "x" must be a whole number from 0 to 65535')
})

test.each<[string, RegExp]>([
  ['name: [', /^node\.yaml:1: not YAML: /],
  ['- a\n- b', /^node\.yaml:1: must be lines of "flag: value"$/],
  ['name: a\nname: b', /^node\.yaml:2: not YAML: Map keys must be unique/],
  ['config: other.yaml', /^node\.yaml:1: "config" is for the command line; leave it out here$/],
  ['name:', /^node\.yaml:1: name must be one value, as --help has it: <name>$/],
  [
    'models: [[a]]',
    /^node\.yaml:1: model must be a value, a mapping, or a list of these, as --help has it: <file:name>$/
  ],
  ['model: { name: ocr }', /^node\.yaml:1: a model needs a file$/],
  [`models: [${'a,'.repeat(1001)}]`, /^node\.yaml:1: model has 1001 entries; at most 1000 fit$/]
])('"%s" is refused with the line', (text, message) => {
  expect(refusal(text)).toMatch(message)
})

test('an empty file says nothing', () => {
  expect(optionsOf('# nothing\n').options).toEqual(optionsOf('').options)
})

test('sinks as lines of a mapping, and those that are no files', () => {
  const text = 'sinks:\n- { to: out.jsonl, rotate: 64MiB, keep: 3 }\n- { to: "-", sources: cam }\n'
  const { values } = parseConfig(text, '/etc/t/node.yaml', nodeCommand().options)
  expect(values.get('sink')).toEqual(['/etc/t/out.jsonl,rotate=64MiB,keep=3', '-,sources=cam'])
})
