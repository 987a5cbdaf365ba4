import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import type { NodeFlags } from './node-flags.ts'
import { parseNodeOptions } from './node-options.ts'

const CORES = availableParallelism()

const FLAGS: NodeFlags = {
  ...{
    name: 'cam',
    listen: [],
    join: [],
    joinFile: [],
    mdns: false,
    threads: '1',
    lanes: '1',
    provider: 'cpu',
    model: ['a/net.onnx'],
    shape: []
  },
  ...{
    blocks: [],
    cutAt: [],
    weights: [],
    work: [],
    times: [],
    pinned: [],
    source: [],
    sink: [],
    policy: 'confluence'
  },
  ...{
    activationEncoding: 'fp32',
    audit: '0',
    keepModels: '1h',
    accept: [],
    emulateLink: [],
    startWhen: '1',
    seed: '1'
  },
  ...{ logFormat: 'text' }
}
const refusal = (flags: Partial<NodeFlags>): string => {
  try {
    parseNodeOptions({ ...FLAGS, ...flags })
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as Error).message
  }
  return ''
}

test('flags of an own model name one of this device', () => {
  const own = { blocks: ['net=2'], cutAt: ['net=a,b'], work: ['net=1ms'], pinned: ['net'] }
  expect(refusal(own)).toBe('')
  for (const [flags, flag] of [
    [{ blocks: ['nat=2'] }, '--blocks'],
    [{ cutAt: ['nat=a'] }, '--cut-at'],
    [{ work: ['nat=1ms'] }, '--work'],
    [{ pinned: ['nat'] }, '--pinned']
  ] as const)
    expect(refusal(flags as unknown as Partial<NodeFlags>)).toBe(
      `${flag} "nat" is no model of this device (its models: net); did you mean net?`
    )
  expect(refusal({ blocks: ['other=2'] })).toBe(
    '--blocks "other" is no model of this device (its models: net); add --model FILE:other'
  )
  expect(refusal({ model: [], cutAt: ['net=a'] })).toBe(
    '--cut-at "net" is no model of this device; add --model FILE:net'
  )
})

test('blocks for all models, and times of models of other devices, need no own model', () => {
  expect(refusal({ model: [], blocks: ['3'], times: ['other=2ms,3ms'] })).toBe('')
})

test.each([
  ['1e400', 'from 0.000001 to 1'],
  ['1e-308', 'from 0.000001 to 1'],
  ['5e-324', 'from 0.000001 to 1'],
  ['-1e400', 'from 0.000001 to 1'],
  ['0', 'from 0.000001 to 1'],
  ['1.01', 'from 0.000001 to 1'],
  ['fast', 'from 0.000001 to 1'],
  ['', 'from 0.000001 to 1']
])('a speed of "%s" is refused with the limit', (speed, limit) => {
  expect(refusal({ speed })).toBe(`--speed "${speed}" must be a number ${limit}`)
})

test.each([
  [
    { provider: 'cudda' },
    '--provider "cudda" is not an execution provider (did you mean cuda?); known: cpu, cuda, tensorrt, webgpu, coreml, dml, qnn, auto'
  ],
  [
    { providerOptions: 'p.yaml' },
    '--provider-options is of another provider than cpu: add --provider auto, or its name'
  ],
  [{ weights: ['int4'] }, '--weights "int4" is not fp16 or int8, with blocks behind an @: int8@0-2,5'],
  [{ weights: ['door=int8'] }, '--weights "door" is no model of this device (its models: net); add --model FILE:door'],
  [{ threads: '1e400' }, '--threads "1e400" must be a whole number from 1 to 256, or auto'],
  [{ threads: '1.5' }, '--threads "1.5" must be a whole number from 1 to 256, or auto'],
  [{ audit: '0.1' }, '--audit is of the data of own sources: add --source, or give it to the node that has one'],
  [
    { model: [], weights: ['int8'] },
    '--weights is of own models: add --model FILE, or give it to the node that has one'
  ],
  [{ model: [], shape: ['x=1'] }, '--shape is of own models: add --model FILE, or give it to the node that has one'],
  [
    { memory: '0B', provider: 'cuda' },
    '--provider runs blocks, and with --memory of nothing none are carried: keep one'
  ],
  [
    { lanes: String(8 * CORES + 1) },
    `--lanes ${8 * CORES + 1} is too much: at most ${8 * CORES} run here, 8 on each of the processor's ${CORES} cores`
  ],
  [
    { lanes: String(4 * CORES), threads: '3' },
    `--lanes ${4 * CORES} with --threads 3 are ${12 * CORES} threads, and at most ${8 * CORES} run here, 8 on each of the processor's ${CORES} cores`
  ],
  [{ lanes: '0' }, '--lanes "0" must be a whole number from 1 to 256, or auto'],
  [
    { lanes: 'auto', speed: '0.5' },
    'auto measures this machine, and --speed stands for another: give --lanes and --threads as numbers'
  ],
  [
    { lanes: '2', provider: 'auto' },
    'lanes and threads are of the processor: leave --provider out, or --lanes and --threads auto'
  ],
  [{ port: '70000' }, '--port "70000" must be a whole number from 0 to 65535'],
  [{ startWhen: '1e99' }, '--start-when "1e99" must be a whole number from 1 to 10000'],
  [{ blocks: ['net=Infinity'] }, '--blocks "Infinity" must be a whole number from 1 to 256'],
  [{ memory: '1e308GB' }, '--memory: "1e308GB" is out of range: at most 1e6GB'],
  [{ logFormat: 'xml' }, '--log-format "xml" must be text or json'],
  [{ logSize: '1MiB' }, '--log-size is of a log file: add --log-file FILE'],
  [{ logKeep: '2' }, '--log-keep is of a log file: add --log-file FILE'],
  [{ logFile: 'a', logSize: '1KiB' }, '--log-size "1KiB" must be at least 4KiB'],
  [{ logFile: 'a', logKeep: '-1' }, '--log-keep "-1" must be a whole number from 0 to 1000'],
  [{ keepModels: '1e400s' }, '--keep-models: "1e400s" is out of range: at most 1e9s'],
  [{ times: ['net=1e400ms'] }, '--times "net=1e400ms": "1e400ms" is out of range: at most 1e9s'],
  [{ times: ['net=0ms'] }, '--times "net=0ms": "0ms" is not the time of a block: above 0 and at most 24h'],
  [{ emulateLink: ['*=1e-308bps'] }, '--emulate-link "*=1e-308bps": "1e-308bps" is out of range: from 1bps to 1e6Gbps']
] as const)('%o is refused with the limit', (flags, message) => {
  expect(refusal(flags as unknown as Partial<NodeFlags>)).toBe(message)
})

test('what is for sources and models that may come later is taken: asked of clients, added by the page, or from a file that is read again', () => {
  expect(refusal({ audit: '0.1', serve: '8000' })).toBe('')
  expect(refusal({ audit: '0.1', dashboard: '8080', serveTokenFile: 'token' })).toBe('')
  const file = { place: () => 'node.yaml:1' }
  expect(() => parseNodeOptions({ ...FLAGS, model: [], audit: '0.1', weights: ['int8'] }, file)).not.toThrow()
})

test('who stands for another device has its lanes', () => {
  expect(refusal({ lanes: '200', speed: '0.5' })).toBe('')
  expect(refusal({ lanes: '200', controlled: true })).toBe('')
})
