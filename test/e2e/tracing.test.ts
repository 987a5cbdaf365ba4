import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Metadata } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeZooModel } from '../../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import { type OtlpReceiver, otlpReceiver, type ReceivedSpan } from '../../src/testing/otlp-receiver.ts'
import { call, grpcClient } from '../serving-cluster.ts'

const run = promisify(execFile)
const DATA = 12
/** None of the devices has room for the whole model. */
const MEMORY = '1500KiB'

let folder: string
let receiver: OtlpReceiver
let nodes: NodeProcess[]
let at: { readonly http: string; readonly grpc: string }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-tracing-'))
  receiver = await otlpReceiver()
  const model = join(folder, 'net.onnx')
  await writeZooModel(zooGraph('resnet56'), model, { seed: 1 })
  const environment = { OTEL_BSP_SCHEDULE_DELAY: '200', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' }
  const flags = (name: string) => ['--state', join(folder, name), '--memory', MEMORY, '--trace-endpoint', receiver.url]
  const shed = startNode('shed', flags('shed'), environment)
  const { invite } = await shed.event('listening')
  const joins = ['--join', String(invite)]
  const attic = startNode('attic', [...flags('attic'), ...joins], environment)
  const porch = startNode(
    'porch',
    [
      ...[...flags('porch'), ...joins, '--trace-sample', '1', '--model', `${model}:net`, '--start-when', '3'],
      ...['--source', `cam=synthetic:${DATA},model=net`, '--sink', join(folder, 'out.jsonl')],
      ...['--serve', '0', '--serve-grpc', '0', '--log-format', 'json']
    ],
    environment
  )
  nodes = [porch, shed, attic]
  const { http, grpc } = await porch.event('serving')
  at = { http: urlOf(http), grpc: urlOf(grpc) }
  await porch.status(({ sources }) => sources[0]?.completed === DATA)
})

afterAll(async () => {
  for (const { child } of nodes) child.kill('SIGKILL')
  await Promise.all(nodes.map(({ ended }) => ended))
  await receiver[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const urlOf = (endpoint: unknown): string => {
  const { host, port } = endpoint as { readonly host: string; readonly port: number }
  return `${host}:${port}`
}

const deviceOf = ({ attributes }: ReceivedSpan): string => String(attributes['tributary.device'])
const bySource = (name: string): ReceivedSpan[] => receiver.spans.filter(span => span.name === name)
const ofTrace = (id: string): ReceivedSpan[] => receiver.spans.filter(({ traceId }) => traceId === id)

/** All of it has come: the whole, and a block of each device that computed. */
const untilWhole = (id: string): Promise<void> =>
  expect
    .poll(() => [ofTrace(id).some(({ name }) => name === 'write the result'), blocksOf(id).length], { timeout: 15_000 })
    .toEqual([true, blockCount()])

const blocksOf = (id: string): ReceivedSpan[] => ofTrace(id).filter(({ name }) => /^block \d+$/.test(name))
const numberOf = ({ name }: ReceivedSpan): number => Number(name.split(' ')[1])
/** Of the model, as the first datum had them. */
const blockCount = (): number =>
  new Set(receiver.spans.map(({ name }) => name).filter(name => /^block \d+$/.test(name))).size

test('each datum is one tree whose spans come from the devices that it passed', async () => {
  await expect.poll(() => bySource('cam').length, { timeout: 15_000 }).toBe(DATA)
  const roots = bySource('cam')
  expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(DATA)
  for (const { traceId } of roots) await untilWhole(traceId)
  for (const root of roots) {
    const children = ofTrace(root.traceId).filter(span => span !== root)
    expect(root.parentSpanId).toBe('')
    expect(new Set(children.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([root.spanId]))
    expect(root.attributes).toMatchObject({ 'tributary.source': 'cam@porch', 'tributary.outcome': 'result' })
    const blocks = blocksOf(root.traceId).sort((a, b) => numberOf(a) - numberOf(b))
    expect(blocks.map(({ name }) => name)).toEqual(blocks.map((_, k) => `block ${k}`))
    // Each process has its own idea of the wall clock, by some milliseconds.
    for (const [k, { start }] of blocks.slice(1).entries()) expect(start).toBeGreaterThan(blocks[k]!.start - 0.01)
    expect(new Set(blocks.map(deviceOf)).size).toBeGreaterThan(1)
    for (const span of children) {
      expect(span.start).toBeGreaterThanOrEqual(root.start - 0.002)
      // That a send has been acknowledged may be heard after the result has come another way.
      const last = span.name.startsWith('send ') ? span.start : span.end
      expect(last, span.name).toBeLessThanOrEqual(root.end + 0.002)
    }
    for (const sent of children.filter(({ name }) => name.startsWith('send '))) {
      const to = String(sent.attributes['tributary.to'])
      expect(children.some(span => deviceOf(span) === to)).toBe(true)
    }
  }
  expect(roots[0]!.resource).toMatchObject({
    ...{ 'service.name': 'tributary', 'service.instance.id': 'porch', 'deployment.environment.name': 'test' }
  })
})

const INPUT = { name: 'input', datatype: 'FP32', shape: [1, 3, 32, 32] }
const VALUES = Array.from({ length: 3 * 32 * 32 }, (_, i) => (i % 7) / 7)

test.each([
  ['HTTP', '0af7651916cd43dd8448eb211c80319c'],
  ['gRPC', '1bf7651916cd43dd8448eb211c80319d']
])('a request over %s goes on with the trace of whoever asks', async (protocol, trace) => {
  const name = await inputName()
  const traceparent = `00-${trace}-b7ad6b7169203331-01`
  if (protocol === 'HTTP') {
    const body = JSON.stringify({ inputs: [{ ...INPUT, name, data: VALUES }] })
    const answer = await fetch(`http://${at.http}/v2/models/net/infer`, {
      method: 'POST',
      headers: { traceparent },
      body
    })
    expect(answer.status).toBe(200)
  } else {
    const metadata = new Metadata()
    metadata.set('traceparent', traceparent)
    const client = grpcClient(at.grpc)
    await call(client, 'ModelInfer', grpcRequest(name), metadata)
    client.close()
  }
  await untilWhole(trace)
  const root = ofTrace(trace).find(({ parentSpanId }) => parentSpanId === 'b7ad6b7169203331')!
  expect(root).toBeDefined()
  for (const span of ofTrace(trace)) if (span !== root) expect(span.parentSpanId).toBe(root.spanId)
})

const grpcRequest = (name: string): object => ({
  model_name: 'net',
  inputs: [{ ...INPUT, name }],
  raw_input_contents: [Buffer.from(Float32Array.from(VALUES).buffer)]
})

const inputName = async (): Promise<string> => {
  const { inputs } = (await (await fetch(`http://${at.http}/v2/models/net`)).json()) as { inputs: { name: string }[] }
  return inputs[0]!.name
}

test('a request that its client does not record is not recorded here', async () => {
  const trace = '2cf7651916cd43dd8448eb211c80319e'
  const ask = async (flags: string): Promise<number> => {
    const traceparent = `00-${trace}-b7ad6b7169203331-${flags}`
    const body = JSON.stringify({ inputs: [{ ...INPUT, name: await inputName(), data: VALUES }] })
    const headers = { traceparent }
    return (await fetch(`http://${at.http}/v2/models/net/infer`, { method: 'POST', headers, body })).status
  }
  expect(await ask('00')).toBe(200)
  expect(ofTrace(trace)).toEqual([])
  expect(await ask('01')).toBe(200)
  await untilWhole(trace)
  expect(blocksOf(trace)).toHaveLength(blockCount())
})

const tributary = (...flags: string[]) => run(process.execPath, [MAIN, ...flags, '--state', join(folder, 'porch')])

test('tributary trace tells the way of one datum, from any device, as the spans do', async () => {
  const { stdout } = await tributary('trace', '--source', 'cam', '--datum', String(DATA - 1), '--json')
  const path = JSON.parse(stdout)
  expect(path).toMatchObject({ source: 'cam@porch', datum: DATA - 1, home: 'porch', outcome: 'result' })
  const computed = path.parts.filter(({ kind }: { readonly kind: string }) => kind === 'computed')
  const spans = blocksOf(path.traceId).sort((a, b) => a.start - b.start)
  expect(computed.map(({ device }: { readonly device: string }) => device)).toEqual(spans.map(deviceOf))
  const words = await tributary('trace', '--source', 'cam', '--last')
  expect(words.stdout).toMatch(/^datum \d+ of cam@porch: result after .* on porch\ntrace [0-9a-f]{32}\n/)
  expect(words.stdout).toMatch(/waited .*, computed .*, travelled /)
  const none = await tributary('trace', '--source', 'nobody').catch(error => error)
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('there is no such source (there: cam@porch')])
})

test('without a terminal, top and status --watch print one text after the other, and Ctrl-C ends them', async () => {
  const top = await tributary('top', '--count', '2', '--interval', '0.2', '--sort', 'name')
  const heads = top.stdout.split('\n').filter(line => line.startsWith('3 devices, '))
  expect(heads).toHaveLength(2)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: there should be none
  expect(top.stdout).not.toMatch(/\x1b/)
  expect(top.stdout.match(/^(attic|porch|shed)\b/gm)!.slice(0, 3)).toEqual(['attic', 'porch', 'shed'])
  const watch = spawn(process.execPath, [
    ...[MAIN, 'status', '--watch', '--interval', '0.2', '--json'],
    ...['--state', join(folder, 'porch')]
  ])
  let said = ''
  watch.stdout.on('data', piece => (said += piece))
  await expect.poll(() => said.split('\n').length, { timeout: 20_000 }).toBeGreaterThan(3)
  watch.kill('SIGINT')
  expect(await new Promise(resolve => watch.once('close', resolve))).toBe(130)
  const [first] = said.split('\n')
  expect(JSON.parse(first!).devices).toHaveLength(3)
})

test('on a terminal top is drawn over itself, answers keys, and leaves the terminal as it was', async context => {
  const isThere = await run('tmux', ['-V']).catch(() => undefined)
  if (isThere === undefined) return context.skip('tmux is absent: install it')
  const socket = join(folder, 'tmux')
  const tmux = async (...words: string[]): Promise<string> => (await run('tmux', ['-S', socket, ...words])).stdout
  const command = `echo before; ${process.execPath} ${MAIN} top --interval 0.2 --state ${join(folder, 'porch')}; echo ended $?; sleep 60`
  await tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '20', command)
  try {
    const screen = (): Promise<string> => tmux('capture-pane', '-p')
    await expect
      .poll(screen, { timeout: 20_000, interval: 200 })
      .toMatch(/^3 devices, [\s\S]*q quit {3}s sort by waiting \(now: use\)/)
    expect(await screen()).not.toContain('before')
    await tmux('send-keys', 's')
    await expect.poll(screen).toMatch(/s sort by name \(now: waiting\)/)
    await tmux('send-keys', 'q')
    await expect.poll(async () => (await screen()).trimEnd()).toBe('before\nended 0')
    expect(await tmux('display-message', '-p', '#{cursor_flag} #{alternate_on}')).toBe('1 0\n')
  } finally {
    await tmux('kill-server')
  }
})
