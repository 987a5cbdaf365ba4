import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TensorProto_DataType as T } from 'onnx-buf'
import { Agent, fetch as fetchFrom } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import { buildModel, node, value } from '../../src/testing/onnx-builder.ts'
import { selfSigned } from '../../src/testing/self-signed.ts'
import { grafanaQueries } from '../grafana-queries.ts'

const run = promisify(execFile)
const DATA = 20
const TOKEN = 'a-token-for-scraping'
const RULES = join(import.meta.dirname, '..', '..', 'deploy', 'prometheus', 'rules.yml')

let folder: string
let device: NodeProcess
let url: string
/** Asks for a token, encrypted, on three ports. */
let guarded: NodeProcess
let guardedUrls: readonly string[]
let certificate: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-metrics-'))
  const model = buildModel({
    nodes: [node('Relu', ['x'], ['y'])],
    inputs: [value('x', T.FLOAT, [1, 4])],
    outputs: [value('y', T.FLOAT, [1, 4])]
  })
  await writeFile(join(folder, 'model.onnx'), model)
  device = startNode('porch', [
    ...['--state', join(folder, 'porch'), '--metrics', '0', '--serve', '0'],
    ...['--model', `${join(folder, 'model.onnx')}:m`],
    ...['--source', `cam=synthetic:${DATA},model=m`, '--sink', join(folder, 'out.jsonl')]
  ])
  url = String((await device.event('metrics'))['url'])
  await device.status(({ sources }) => sources[0]?.completed === DATA)
  guarded = await startGuarded(String((await device.event('listening'))['invite']))
  guardedUrls = [
    String((await guarded.event('metrics'))['url']),
    `https://127.0.0.1:${((await guarded.event('serving'))['http'] as { readonly port: number }).port}/metrics`,
    `${(await guarded.event('dashboard'))['url']}metrics`
  ]
  await device.status(({ devices }) => devices.length === 2)
})

const startGuarded = async (invite: string): Promise<NodeProcess> => {
  const { cert, key } = await selfSigned('localhost')
  certificate = cert
  const files = { token: `${TOKEN}\n`, 'cert.pem': cert, 'key.pem': key }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return startNode('gate', [
    ...['--state', join(folder, 'gate'), '--metrics', '0', '--serve', '0', '--dashboard', '0'],
    ...['--join', invite, '--serve-token-file', join(folder, 'token')],
    ...['--serve-tls-cert', join(folder, 'cert.pem'), '--serve-tls-key', join(folder, 'key.pem')]
  ])
}

afterAll(async () => {
  for (const { child } of [device, guarded]) child.kill('SIGTERM')
  await Promise.all([device.ended, guarded.ended])
  await rm(folder, { recursive: true, force: true })
})

/** Where there is such a command on this machine. */
const isThere = (command: string): Promise<boolean> =>
  run(command, ['--version']).then(
    () => true,
    () => false
  )

test('a device says in numbers what it did; nothing else is on that port', async () => {
  const response = await fetch(url)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const text = await response.text()
  expect(text).toContain(`tributary_results_total{source="cam"} ${DATA}\n`)
  expect(text).toContain(`tributary_inference_seconds_count{source="cam"} ${DATA}\n`)
  expect(text).toContain(`tributary_compute_seconds_count{model="m"} ${DATA}\n`)
  expect(text).toMatch(/^tributary_device_info\{name="porch",id="\w+",policy="confluence",version="\d/m)
  expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404)
  expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(405)
})

test('what another program asks for is counted: its data by who asks, and its requests by route and status', async () => {
  const { port } = (await device.event('serving'))['http'] as { readonly port: number }
  const ask = async (model: string): Promise<number> => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }]
    const at = `http://127.0.0.1:${port}/v2/models/${model}/infer`
    const headers = { 'x-tributary-source': 'gate' }
    return (await fetch(at, { method: 'POST', headers, body: JSON.stringify({ inputs }) })).status
  }
  expect([await ask('m'), await ask('none')]).toEqual([200, 404])
  const route = 'route="/v2/models/:model/infer"'
  for (const line of [
    'tributary_admitted_total{source="gate"} 1',
    'tributary_results_total{source="gate"} 1',
    `tributary_serving_requests_total{${route},code="200"} 1`,
    `tributary_serving_requests_total{${route},code="404"} 1`
  ])
    await expect.poll(async () => (await fetch(url)).text()).toContain(`${line}\n`)
})

test('the same page is on the port that serves and on that of the dashboard, each behind the token', async () => {
  const dispatcher = new Agent({ connect: { ca: certificate, servername: 'localhost' } })
  const status = async (at: string, token?: string): Promise<number> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const answer = await fetchFrom(at, { headers, dispatcher })
    const text = await answer.text()
    expect(text.includes('tributary_device_info{name="gate"')).toBe(answer.status === 200)
    if (answer.status === 200) expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    return answer.status
  }
  for (const at of guardedUrls)
    expect([await status(at), await status(at, 'wrong-token'), await status(at, TOKEN)]).toEqual([401, 401, 200])
  await dispatcher.close()
})

test('a port that is taken is refused, with the flag that mends it', async () => {
  const port = new URL(url).port
  const flags = ['node', '--name', 'other', '--state', join(folder, 'other'), '--listen', '127.0.0.1:0', '--no-mdns']
  const refused = await run(process.execPath, [MAIN, ...flags, '--metrics', port]).catch(error => error)
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(new RegExp(`:${port}: the port is in use`))])
})

test('the page has no faults that Prometheus would find, and neither have the rules', async context => {
  if (!(await isThere('promtool'))) return context.skip('promtool is absent: install the package prometheus')
  await run('promtool', ['check', 'rules', RULES])
  const lint = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [lint.stdout, lint.stderr]) stream.on('data', chunk => (said += chunk))
  lint.stdin.end(await (await fetch(url)).text())
  await once(lint, 'close')
  // What the client library says of the process of Node has names of its own.
  expect(said.split('\n').filter(line => line.startsWith('tributary_'))).toEqual([])
})

test('a real Prometheus scrapes it, and its queries answer', async context => {
  if (!(await isThere('prometheus'))) return context.skip('prometheus is absent: install the package prometheus')
  const config = join(folder, 'prometheus.yml')
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s' },
      rule_files: [RULES],
      scrape_configs: [
        { job_name: 'tributary', static_configs: [{ targets: [new URL(url).host] }] },
        {
          job_name: 'guarded',
          scheme: 'https',
          tls_config: { ca_file: join(folder, 'cert.pem'), server_name: 'localhost' },
          authorization: { credentials_file: join(folder, 'token') },
          static_configs: [{ targets: guardedUrls.map(at => new URL(at).host) }]
        }
      ]
    })
  )
  const prometheus = spawn(
    'prometheus',
    [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'tsdb')}`, '--web.listen-address=127.0.0.1:0'],
    { stdio: ['ignore', 'ignore', 'pipe'] }
  )
  try {
    const own = await new Promise<string>((resolve, reject) => {
      let said = ''
      prometheus.stderr.on('data', chunk => {
        said += chunk
        const [, address] = /msg="Listening on" address=(\S+)/.exec(said) ?? []
        if (address !== undefined) resolve(`http://${address}`)
      })
      prometheus.once('close', () => reject(new Error(`prometheus ended:\n${said}`)))
    })
    const query = async (text: string): Promise<string | undefined> => {
      const answer = await fetch(`${own}/api/v1/query?query=${encodeURIComponent(text)}`)
      if (!answer.ok) throw new Error(`${text}: ${await answer.text()}`)
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
      return data.result[0]?.value[1]
    }
    await expect.poll(() => query('tributary_results_total{source="cam"}'), { timeout: 20_000 }).toBe(String(DATA))
    expect(await query('histogram_quantile(0.5, sum by (le) (tributary_inference_seconds_bucket))')).toBeDefined()
    expect(await query('min(tributary_cluster_devices)')).toBe('2')
    // What the dashboard asks for is answered; nothing was dropped, failed or limited here, and nothing passed a link.
    const silent = async (): Promise<readonly string[]> => {
      const answers = await Promise.all((await grafanaQueries()).map(async text => [text, await query(text)] as const))
      return answers.flatMap(([text, value]) =>
        value === undefined && !/transfer|dropped|failed|memory_limit/.test(text) ? [text] : []
      )
    }
    await expect.poll(silent, { timeout: 20_000 }).toEqual([])
    // By each of its ports.
    await expect
      .poll(() => query('count(tributary_device_info{job="guarded",name="gate"})'), { timeout: 20_000 })
      .toBe(`${guardedUrls.length}`)
  } finally {
    prometheus.kill('SIGTERM')
    await once(prometheus, 'close')
  }
})
