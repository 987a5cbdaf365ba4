import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TensorProto_DataType as T } from 'onnx-buf'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PlanFacts } from '../../src/dashboard/plans/plan-facts.ts'
import type { Outlook } from '../../src/planner/outlook.ts'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import type { PlanReport } from '../../src/studies/plan-report.ts'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import { buildModel, node, value } from '../../src/testing/onnx-builder.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const TOKEN = 'a-token-for-acting'
const SPEEDS = { porch: 0.2, shed: 0.5, attic: 0.5 }
/** Of each of four blocks, in seconds at speed 1. */
const WORK = 0.2
const ACTIVATION = 200_000
const MBPS = 8

let folder: string
let invite: string
let url: string
const nodes = new Map<string, NodeProcess>()
const looking: ChildProcess[] = []

/** Devices that take what is declared, over links that have the declared rate: what a scenario can say of them is true. */
const startEmulated = (name: keyof typeof SPEEDS, flags: readonly string[]): NodeProcess => {
  const started = startNode(name, [
    ...['--state', join(folder, name), '--controlled', '--speed', String(SPEEDS[name])],
    ...['--emulate-link', `*=${MBPS}Mbps,2ms`, ...flags]
  ])
  started.child.stdin!.write('{"start":0}\n')
  nodes.set(name, started)
  return started
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-dashboard-plans-'))
  const shape = [1, ACTIVATION / 4]
  const model = buildModel({
    nodes: [
      ['Relu', 'x', 'a'],
      ['Neg', 'a', 'b'],
      ['Abs', 'b', 'c'],
      ['Neg', 'c', 'y']
    ].map(([op, from, to]) => node(op!, [from!], [to!])),
    inputs: [value('x', T.FLOAT, shape)],
    outputs: [value('y', T.FLOAT, shape)]
  })
  await writeFile(join(folder, 'model.onnx'), model)
  await writeFile(join(folder, 'token'), `${TOKEN}\n`)
  const porch = startEmulated('porch', [
    ...['--dashboard', '0', '--serve-token-file', join(folder, 'token'), '--sink', join(folder, 'out.jsonl')],
    ...['--model', `${join(folder, 'model.onnx')}:m`, '--cut-at', 'm=a,b,c'],
    ...['--work', `m=${[1, 2, 3, 4].map(() => `${1000 * WORK}ms`).join(',')}`],
    ...['--source', 'cam=synthetic:100000,model=m', '--start-when', '3']
  ])
  invite = String((await porch.event('listening'))['invite'])
  url = String((await porch.event('dashboard'))['url'])
  for (const name of ['shed', 'attic'] as const) startEmulated(name, ['--join', invite])
  await porch.status(({ devices, sources }) => devices.length === 3 && (sources[0]?.completed ?? 0) > 5)
}, 120_000)

afterAll(async () => {
  for (const child of looking) child.kill('SIGKILL')
  for (const { child } of nodes.values()) child.kill('SIGKILL')
  await Promise.all([...nodes.values()].map(({ ended }) => ended))
  await rm(folder, { recursive: true, force: true })
})

const bearer = { authorization: `Bearer ${TOKEN}` }
const post = (path: string, body: unknown, headers: Record<string, string> = bearer): Promise<Response> =>
  fetch(`${url}api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
/** As it is now: what is live begins with all of it. */
const now = async (): Promise<ClusterStatus> => {
  const over = new AbortController()
  const answer = await fetch(`${url}api/live`, { headers: bearer, signal: over.signal })
  let text = ''
  for await (const chunk of answer.body!) {
    text += Buffer.from(chunk).toString()
    if (text.includes('\n\n')) break
  }
  over.abort()
  const { devices, rest } = JSON.parse(text.slice('data: '.length, text.indexOf('\n\n')))
  return { devices, ...rest }
}
const until = async (wanted: (status: ClusterStatus) => boolean): Promise<ClusterStatus> => {
  for (;;) {
    const status = await now()
    if (wanted(status)) return status
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}
const answered = async <A>(answer: Response): Promise<A> => {
  expect(answer.status, await answer.clone().text()).toBe(200)
  return (await answer.json()) as A
}

/** What `tributary plan` says of such devices and links. */
const planned = async (
  speeds: Readonly<Record<string, number>> = SPEEDS,
  slow: number | undefined = undefined
): Promise<PlanReport> => {
  const size = `${ACTIVATION}B`
  const link = { from: 'porch', to: 'shed', bandwidth: `${slow}Mbps`, latency: '2ms', both: true }
  const scenario = {
    devices: Object.fromEntries(Object.entries(speeds).map(([name, speed]) => [name, { speed }])),
    links: {
      topology: 'full',
      default: { bandwidth: `${MBPS}Mbps`, latency: '2ms' },
      ...(slow === undefined ? {} : { pairs: [link] })
    },
    models: {
      m: {
        blocks: [1, 2, 3, 4].map(() => ({ work: `${1000 * WORK}ms`, weights: '1B' })),
        activations: [0, 1, 2, 3, 4].map(() => size)
      }
    },
    sources: [{ name: 'cam', device: 'porch', model: 'm', arrivals: 'saturated', count: 100 }]
  }
  const file = join(folder, 'scenario.json')
  await writeFile(file, JSON.stringify(scenario))
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'plan', file, '--json'])
  return JSON.parse(stdout) as PlanReport
}

/** As a share: links are as they are measured, and blocks as they were timed. */
const TOLERANCE = 0.1
const near = (scale: number, wanted: number): void => {
  expect(scale / wanted).toBeGreaterThan(1 - TOLERANCE)
  expect(scale / wanted).toBeLessThan(1 + TOLERANCE)
}

describe('what the planner foresees is what `tributary plan` says of such a network', () => {
  const outlookIf = async (change: unknown): Promise<Extract<Outlook, { kind: 'outlook' }>> => {
    const outlook = await answered<Outlook>(await post('preview', change))
    if (outlook.kind !== 'outlook') throw new Error(outlook.because)
    return outlook
  }

  test('as it is', async () => {
    let facts: PlanFacts
    do {
      facts = await answered<PlanFacts>(await fetch(`${url}api/plan`, { headers: bearer }))
      await new Promise(resolve => setTimeout(resolve, 200))
    } while (facts.outlook === null)
    const { outlook } = facts
    if (outlook.kind !== 'outlook' || outlook.carried.kind !== 'served') throw new Error(JSON.stringify(outlook))
    const { predicted } = await planned()
    near(outlook.best!, predicted!.scale)
    expect(outlook.carried.sources).toMatchObject([{ source: 'cam@porch', demand: 1 }])
    near(outlook.carried.sources[0]!.rate, predicted!.rates['cam']!)
    expect(outlook.carried.tight.length).toBeGreaterThan(0)
    expect(facts.history[0]).toMatchObject({ planner: expect.any(String), epoch: expect.any(Number) })
    expect(facts.actions).toEqual({ because: '', sources: true })
  })

  test('with a device that is twice as fast', async () => {
    const { best } = await outlookIf({ device: 'shed', speed: 2 })
    near(best!, (await planned({ ...SPEEDS, shed: 1 })).predicted!.scale)
  })

  test('without a device', async () => {
    const { best, planned: after } = await outlookIf({ leaves: 'attic' })
    near(best!, (await planned({ porch: SPEEDS.porch, shed: SPEEDS.shed })).predicted!.scale)
    expect(after.kind).toBe('served')
  })

  test('with a slower link', async () => {
    const { best } = await outlookIf({ from: 'porch', to: 'shed', rate: 1e6 / 8 })
    near(best!, (await planned(SPEEDS, 1)).predicted!.scale)
  })

  test('and nothing has been planned anew for it', async () => {
    const before = await answered<PlanFacts>(await fetch(`${url}api/plan`, { headers: bearer }))
    await outlookIf({ leaves: 'shed' })
    const after = await answered<PlanFacts>(await fetch(`${url}api/plan`, { headers: bearer }))
    expect(after.history.map(({ epoch }) => epoch)).toEqual(before.history.map(({ epoch }) => epoch))
  })

  test('what is none is refused in words, and a second one while one is computed', async () => {
    const statusOf = async (body: unknown) => (await post('preview', body)).status
    expect(await statusOf({ leaves: 7 })).toBe(400)
    expect(await statusOf({ device: 'shed', speed: -1 })).toBe(400)
    expect(await answered(await post('preview', { leaves: 'barn' }))).toMatchObject({ kind: 'none' })
    const both = await Promise.all([post('preview', { leaves: 'shed' }), post('preview', { leaves: 'attic' })])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 503])
  })
})

describe('who may act', () => {
  const asked = { name: 'cam' }

  test.for<[string, Record<string, string>, number]>([
    ['no token', {}, 401],
    ['a wrong token', { authorization: 'Bearer another-token' }, 401],
    ['another site', { ...bearer, origin: 'http://evil.example' }, 403],
    ['another site, as browsers say it', { ...bearer, 'sec-fetch-site': 'cross-site' }, 403]
  ])('nobody with %s', async ([, headers, status]) => {
    for (const action of ['drain', 'add-source', 'remove-source', 'weight', 'invite'])
      expect((await post(`actions/${action}`, asked, headers)).status).toBe(status)
    expect((await now()).sources.map(({ name }) => name)).toEqual(['cam'])
  })

  test('nobody at all where no token is asked for, and the answer says what to do', async () => {
    const open = startNode('open', ['--state', join(folder, 'open'), '--dashboard', '0'])
    nodes.set('open', open)
    const at = String((await open.event('dashboard'))['url'])
    const answer = await fetch(`${at}api/actions/invite`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(403)
    expect(await answer.json()).toEqual({ error: expect.stringContaining('--serve-token-file') })
    open.child.kill('SIGKILL')
  })
})

describe('with the token', () => {
  const porch = (): NodeProcess => nodes.get('porch')!
  const named = ({ sources }: ClusterStatus): string[] => sources.map(({ name }) => name).sort()

  test('a source comes from a piece of config, gets another weight, and goes; each is in the log', async () => {
    const config = 'source:\n  name: door\n  synthetic: 1000\n  model: m\n  rate: 2/s\n'
    expect(await answered(await post('actions/add-source', { config }))).toEqual({ added: ['door'] })
    await until(status => named(status).join() === 'cam,door')
    expect((await post('actions/add-source', { config })).status).toBe(400)
    await answered(await post('actions/weight', { name: 'door', weight: 3 }))
    await until(status => status.sources.find(({ name }) => name === 'door')?.weight === 3)
    expect(
      porch()
        .log()
        .match(/source door.*going on with the rest/)
    ).toBeNull()
    await answered(await post('actions/remove-source', { name: 'door' }))
    await until(status => named(status).join() === 'cam')
    for (const words of ['add a source: done', 'give source door the weight 3: done', 'remove source door: done'])
      expect(porch().log()).toContain(words)
  }, 60_000)

  test.for([
    ['no YAML', 'source: ['],
    ['other flags', 'memory: 1GiB'],
    ['no source', 'source: []'],
    ['no kind', 'source: {name: door}'],
    ['an unknown key', 'source: {name: door, dirr: x}']
  ])('a piece of config is refused in words: %s', async ([, config]) => {
    const answer = await post('actions/add-source', { config })
    expect(answer.status).toBe(400)
    expect(((await answer.json()) as { error: string }).error).toContain('what was sent')
  })

  test('the invite is shown, and stands in no log', async () => {
    const shown = await answered<{ invite: string; picture: string }>(await post('actions/invite', {}))
    expect(shown.invite).toMatch(/^tributary2:/)
    expect(shown.picture).toMatch(/^<svg/)
    expect(porch().log().replaceAll(invite, '')).not.toContain(shown.invite.slice(12, 60))
  })
})

test('a machine that only looks has the page, is planned for by nobody and missed by nobody, and leaves at Ctrl-C', async () => {
  const before = nodes.get('porch')!.log().length
  const child = spawn(process.execPath, [MAIN, 'dashboard', '0', '--join', '-'], { stdio: ['pipe', 'inherit', 'pipe'] })
  looking.push(child)
  child.stdin.end(`${invite}\n`)
  let log = ''
  child.stderr.on('data', chunk => {
    log += String(chunk)
  })
  await until(() => log.includes('porch is there'))
  const at = /shown at (\S+)/.exec(log)![1]!
  expect((await fetch(`${at}page.js`)).status).toBe(200)
  const seen = await until(({ guests }) => guests.length === 1)
  expect(seen.guests[0]!.name).toMatch(/^looks-/)
  expect(seen.devices).toHaveLength(3)
  const name = seen.guests[0]!.name
  const refused = await fetch(`${at}api/actions/invite`, { method: 'POST', body: '{}' })
  expect(refused.status).toBe(403)
  child.kill('SIGINT')
  expect(await new Promise(resolve => child.once('exit', resolve))).toBe(0)
  const left = await until(({ guests }) => guests.length === 0)
  for (const node of nodes.values()) expect(node.log()).not.toContain(`lost ${name}`)
  expect(nodes.get('porch')!.log()).toContain(`${name} said goodbye`)
  expect(left.losses.devicesLost).toBe(0)
  // Speeds and rates may have drifted meanwhile, and led to plans: for the three.
  const plans =
    nodes
      .get('porch')!
      .log()
      .slice(before)
      .match(/placement \d+\.\d+ .*/g) ?? []
  expect(plans.filter(text => !text.includes('for 3 devices'))).toEqual([])
}, 60_000)

describe('in a browser', () => {
  let browser: Browser | undefined
  let page: Page

  beforeAll(async () => {
    if (CHROMIUM === undefined) return
    browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
    page = await browser.newPage()
    await page.goto(url)
    await page.waitForSelector('#token')
    await page.type('#token', TOKEN)
    await page.click('button')
    await page.waitForSelector('.device')
  })
  afterAll(() => browser?.close())
  beforeEach(context => {
    if (CHROMIUM === undefined) context.skip('chromium is absent: install the package chromium')
  })

  const press = (words: string): Promise<void> =>
    page.evaluate(text => {
      const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === text)
      if (button === undefined) throw new Error(`no button says ${text}`)
      button.click()
    }, words)
  const says = (selector: string, words: string): Promise<unknown> =>
    page.waitForFunction(
      (where, text) => [...document.querySelectorAll(where)].some(({ textContent }) => textContent?.includes(text)),
      { timeout: 60_000 },
      selector,
      words
    )

  test('the first view says what the planner says limits the cluster, and whether distributing pays', async () => {
    await says('.planned', 'Distributing pays')
    await says('.planned li', 'a tenth more')
    await says('td', '8.0 Mbit/s')
  })

  test('the placement has its blocks, its history, and an answer to what if', async () => {
    await page.evaluate(() => {
      location.hash = 'placement'
    })
    await page.waitForSelector('.what-if')
    expect(await page.$$eval('[aria-label="Blocks of m"] tbody th', heads => heads.length)).toBe(3)
    expect(await page.$$eval('[aria-label="Placements so far"] tbody tr', rows => rows.length)).toBeGreaterThan(0)
    await page.select('#if-kind', 'speed')
    await page.select('#if-device', 'shed')
    await press('Ask the planner')
    await says('.what-if .foretold', 'If shed were 2 times as fast')
    const shown = await page.$eval('.what-if .foreseen', data => Number((data as HTMLDataElement).value))
    near(shown, (await planned({ ...SPEEDS, shed: 1 })).predicted!.scale)
  })

  test.for([
    ['placement', 390, 844, 'light'],
    ['placement', 1400, 900, 'dark'],
    ['cluster', 390, 844, 'dark'],
    ['cluster', 1400, 900, 'light']
  ] as const)('the view %s, %s wide: axe finds nothing', async ([view, width, height, theme]) => {
    await page.setViewport({ width, height })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }])
    await page.evaluate(path => {
      location.hash = path
    }, view)
    await page.waitForSelector(view === 'placement' ? '.what-if' : '.actions')
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    await page.evaluate(await readFile(AXE, 'utf8'))
    const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] }
    expect(found.violations.map(({ id, nodes: [first] }) => `${id}: ${first!.html}`)).toEqual([])
  })

  test('the invite is a picture for as long as it is wanted', async () => {
    await page.evaluate(() => {
      location.hash = 'cluster'
    })
    await page.waitForSelector('.actions')
    await press('Show the invite')
    await page.waitForSelector('.invite img')
    expect(await page.$eval('.invite img', image => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(10)
    await press('Hide the invite')
    expect(await page.$('.invite')).toBeNull()
  })

  test('a device that is drained leaves once others have its blocks, and no datum is lost', async () => {
    const porch = nodes.get('porch')!
    const { devices } = await now()
    await page.select('#drain', devices.find(({ name }) => name === 'attic')!.id)
    await press('Drain …')
    await press('Drain attic')
    await says('.said', 'attic drains')
    expect(await nodes.get('attic')!.ended).toBe(0)
    expect(nodes.get('attic')!.log()).toMatch(/porch drains this device: others take over/)
    expect(nodes.get('attic')!.log()).not.toContain('it stops all the same')
    expect(nodes.get('attic')!.log().trimEnd()).toMatch(/drained: its blocks are with others; stopped$/)
    expect(porch.log()).toMatch(/asked on the page, from \S+, to drain attic: done/)
    await page.waitForFunction(() => document.querySelectorAll('.topology .device').length === 2)
    const after = await until(({ devices: there }) => there.length === 2)
    expect(after.losses).toMatchObject({ lost: 0, failed: 0, devicesLost: 0 })
    expect(porch.log()).toMatch(/attic said goodbye/)
  }, 60_000)
})
