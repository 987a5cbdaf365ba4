import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { TensorProto_DataType as T } from 'onnx-buf'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { yoloModel } from '../../src/testing/detector-models.ts'
import { type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import { buildModel, node, value } from '../../src/testing/onnx-builder.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const VIEWS = ['cluster', 'placement', 'timelines', 'results', 'events']
/** A file's name may hold this. */
const MARKUP = '<img src=x onerror=alert(1)>.png'
const TOKEN = 'a-token-for-looking'

const DEVICES = ['attic', 'hall', 'porch', 'shed']

let folder: string
let porch: NodeProcess
let shed: NodeProcess
let others: readonly NodeProcess[] = []
let url: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-dashboard-'))
  const model = buildModel({
    nodes: [node('Relu', ['x'], ['a']), node('Neg', ['a'], ['y'])],
    inputs: [value('x', T.FLOAT, [1, 4])],
    outputs: [value('y', T.FLOAT, [1, 4])]
  })
  await writeFile(join(folder, 'model.onnx'), model)
  await writeFile(join(folder, 'token'), `${TOKEN}\n`)
  await writeFile(join(folder, 'yolo.onnx'), yoloModel())
  await mkdir(join(folder, 'pictures'))
  const picture = { create: { width: 64, height: 48, channels: 3, background: 'teal' } } as const
  for (const name of ['a.png', MARKUP])
    await writeFile(join(folder, 'pictures', name), await sharp(picture).png().toBuffer())
  await writeFile(join(folder, 'pictures', 'none.png'), 'no picture')
  await utimes(join(folder, 'pictures', 'none.png'), 0, 0) // nobody is still writing it
  porch = startNode('porch', [
    ...['--state', join(folder, 'porch'), '--dashboard', '0', '--serve-token-file', join(folder, 'token')],
    ...['--model', `${join(folder, 'model.onnx')}:m`, '--source', 'cam=synthetic:10000,model=m,rate=20/s'],
    ...['--model', `${join(folder, 'yolo.onnx')}:yolo`, '--preset', 'detect'],
    ...['--source', `door=dir:${join(folder, 'pictures')},model=yolo`],
    ...['--sink', join(folder, 'out.jsonl')]
  ])
  const invite = String((await porch.event('listening'))['invite'])
  url = String((await porch.event('dashboard'))['url'])
  const joined = (name: string): string[] => ['--state', join(folder, name), '--join', invite]
  shed = startNode('shed', [
    ...joined('shed'),
    ...['--source', 'gate=synthetic:10000,model=m,rate=5/s', '--sink', join(folder, 'gate.jsonl')]
  ])
  others = ['hall', 'attic'].map(name => startNode(name, joined(name)))
  await porch.status(
    ({ devices, sources }) =>
      devices.length === 4 &&
      sources.length === 3 &&
      sources.every(({ name, completed, failed }) => completed + failed > (name === 'door' ? 2 : 9))
  )
}, 300_000)

afterAll(async () => {
  const all = [porch, shed, ...others]
  for (const { child } of all) child.kill('SIGKILL')
  await Promise.all(all.map(({ ended }) => ended))
  await rm(folder, { recursive: true, force: true })
})

test('the page says nothing of the cluster to whoever has no token, and is small', async () => {
  const texts = await Promise.all(['', 'page.js', 'page.css'].map(async path => (await fetch(url + path)).text()))
  const packed = texts.reduce((sum, text) => sum + gzipSync(text).byteLength, 0)
  expect(packed).toBeLessThan(40_000)
  expect(texts.join()).not.toContain('porch')
  expect((await fetch(`${url}api/live`)).status).toBe(401)
  expect((await fetch(`${url}api/live`, { headers: { authorization: 'Bearer wrong-token' } })).status).toBe(401)
  const other = { authorization: `Bearer ${TOKEN}`, origin: 'http://evil.example' }
  expect((await fetch(`${url}api/live`, { headers: other })).status).toBe(403)
})

test('data are given to nobody without a token, and nothing but data', async () => {
  expect((await fetch(`${url}api/results`)).status).toBe(401)
  expect((await fetch(`${url}api/results/picture?source=door@porch&datum=0`)).status).toBe(401)
  const asked = async (path: string) => fetch(url + path, { headers: { authorization: `Bearer ${TOKEN}` } })
  expect((await asked('api/results/picture?source=../../etc/passwd&datum=0')).status).toBe(404)
  expect((await asked('api/results/picture?source=door@porch&datum=-1')).status).toBe(400)
  expect((await asked('api/results?after=x')).status).toBe(400)
  const picture = await asked('api/results/picture?source=door@porch&datum=0')
  expect(picture.headers.get('content-type')).toBe('image/webp')
  expect(picture.headers.get('cache-control')).toBe('no-store')
})

test.for<[string, Record<string, string>, number]>([
  ['no token', {}, 401],
  ['a wrong token', { authorization: 'Bearer another-token' }, 401],
  ['another site', { authorization: `Bearer ${TOKEN}`, origin: 'http://evil.example' }, 403],
  ['another site, as browsers say it', { authorization: `Bearer ${TOKEN}`, 'sec-fetch-site': 'cross-site' }, 403]
])('nobody acts with %s', async ([, headers, status]) => {
  for (const action of ['drain', 'add-source', 'remove-source', 'weight', 'invite']) {
    const asked = { method: 'POST', headers, body: '{"name":"cam"}' }
    expect((await fetch(`${url}api/actions/${action}`, asked)).status).toBe(status)
  }
})

test('what is live comes as events, all of it first', async () => {
  const over = new AbortController()
  const answer = await fetch(`${url}api/live`, { headers: { authorization: `Bearer ${TOKEN}` }, signal: over.signal })
  const { value: bytes } = await answer.body!.getReader().read()
  const [first] = Buffer.from(bytes!).toString().split('\n\n')
  const change = JSON.parse(first!.slice('data: '.length))
  expect(change.devices.map(({ name }: { name: string }) => name)).toEqual(DEVICES)
  expect(change.lines.length).toBeGreaterThan(1)
  expect(first).not.toContain('tributary1:')
  over.abort()
})

describe('in a browser', () => {
  let browser: Browser | undefined
  let page: Page

  beforeAll(async () => {
    if (CHROMIUM === undefined) return
    browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
    page = await browser.newPage()
  })
  afterAll(() => browser?.close())
  beforeEach(context => {
    if (CHROMIUM === undefined) context.skip('chromium is absent: install the package chromium')
  })

  /** To a view, as its link in the navigation leads there. */
  const go = async (path: string): Promise<void> => {
    await page.click(`nav a[href="#${path}"]`)
    await page.waitForSelector(`nav a[href="#${path}"][aria-current]`)
  }
  const text = (selector: string): Promise<string> => page.$eval(selector, element => element.textContent ?? '')

  test('it asks for the token, then shows what status says', async () => {
    await page.goto(url)
    await page.waitForSelector('#token')
    await page.type('#token', TOKEN)
    await page.click('button')
    await page.waitForSelector('.device')
    expect(await page.$$eval('.device .name', names => names.map(name => name.textContent?.replace(' ★', '')))).toEqual(
      DEVICES
    )
    expect(await text('main')).toMatch(/cam/)
    expect(await text('.limit')).toMatch(
      /Nothing is used up|computes all the time|What limits the whole is|Blocks are being loaded/
    )
    await go('events')
    expect(await page.$$eval('.events li', lines => lines.length)).toBeGreaterThan(1)
  })

  test('views are reached by the keyboard, and who goes there is at their heading', async () => {
    for (const path of VIEWS) {
      await page.focus(`nav a[href="#${path}"]`)
      await page.keyboard.press('Enter')
      await page.waitForFunction(
        wanted => document.querySelector('nav [aria-current]')?.getAttribute('href') === wanted,
        {},
        `#${path}`
      )
      await page.waitForFunction(() => document.activeElement?.tagName === 'H2')
      expect((await page.title()).toLowerCase()).toContain(`${path} of porch`)
    }
    await page.goBack()
    await page.waitForFunction(() => document.querySelector('h2')?.textContent === 'Results')
  })

  test('of the data of its own sources it shows picture, answer and what failed, and of another device says where they are', async () => {
    await go('results')
    await page.waitForSelector('[aria-label="Results of door"] tbody button')
    const door = await text('[aria-label="Results of door"]')
    expect(door).toMatch(/2 done, 1 failed/)
    expect(door).toContain('none.png: is not an image that can be read')
    expect(await text('main')).toMatch(/gate by shed/)
    expect(await page.$('[aria-label="Results of gate"]')).toBeNull()

    const lines = (await readFile(join(folder, 'out.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const { datum, result } = lines.find(({ item }) => item === MARKUP) as {
      datum: number
      result: { box: number[] }[]
    }
    await page.evaluate(wanted => {
      const rows = [...document.querySelectorAll<HTMLElement>('[aria-label="Results of door"] tbody button')]
      rows.find(({ textContent }) => textContent === wanted)!.click()
    }, String(datum))
    await page.waitForFunction(
      name => document.querySelector('.datum img')?.getAttribute('alt')?.startsWith(name),
      {},
      MARKUP
    )
    const [left, top, right, bottom] = result[0]!.box as [number, number, number, number]
    const drawn = await page.$eval('.datum .box', box => (box as HTMLElement).style.cssText)
    const shares = (drawn.match(/[\d.]+/g) ?? []).map(Number)
    const wanted = [left / 64, top / 48, (right - left) / 64, (bottom - top) / 48]
    for (const [i, share] of wanted.entries()) expect(shares[i]).toBeCloseTo(100 * share, 2)
    expect(await page.$$eval('img', images => images.length)).toBe(1) // the name of the file has made none
  })

  test('the way of a datum across devices is followed, and all is saved for Perfetto', async () => {
    await go('timelines')
    // Blocks lie where they were planned: what is followed may be computed by others.
    await page.waitForFunction(
      () => [...document.querySelectorAll('tbody button')].some(({ textContent }) => textContent?.startsWith('gate ')),
      { timeout: 20_000 }
    )
    await page.evaluate(() =>
      [...document.querySelectorAll('button')].find(({ textContent }) => textContent?.startsWith('gate '))!.click()
    )
    await page.waitForSelector('[aria-label="The way of a datum"]')
    expect(await text('.tools button')).toBe('Go on')
    expect(await text('main')).toMatch(/The way of datum \d+ of gate@shed: result/)
    expect(await text('main')).toMatch(/what another one did is placed right within \d/)
    const way = await page.$$eval('[aria-label="The way of a datum"] tbody tr', rows =>
      rows.map(row => row.textContent)
    )
    expect(way.filter(part => part?.includes('computed'))).toHaveLength(2)
    const trace = (await page.evaluate(async () => {
      const saved = new Promise<Blob>(resolve => {
        const own = URL.createObjectURL
        URL.createObjectURL = blob => {
          URL.createObjectURL = own
          resolve(blob as Blob)
          return own(blob)
        }
      })
      ;[...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Save for Perfetto')!.click()
      return JSON.parse(await (await saved).text())
    })) as { traceEvents: { name: string; ph: string; args: { name?: string } }[] }
    const rows = trace.traceEvents.filter(({ ph }) => ph === 'M').map(({ args }) => args.name)
    expect(rows).toEqual(expect.arrayContaining(['porch', 'cam at porch', 'gate at shed']))
    expect(trace.traceEvents.filter(({ ph }) => ph === 'X').length).toBeGreaterThan(20)
  })

  test.for([
    ['a phone in the dark', 390, 844, 'dark'],
    ['a screen', 1400, 900, 'light']
  ] as const)('on %s it is as wide as that, and axe finds nothing', async ([, width, height, theme]) => {
    await page.setViewport({ width, height })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }])
    await page.evaluate(await axeSource())
    for (const path of VIEWS) {
      await go(path)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] }
      expect(found.violations.map(({ id, nodes }) => `${path}: ${id}: ${nodes[0]!.html}`)).toEqual([])
    }
  })

  test('it says within three seconds that a device has been killed', async () => {
    await go('cluster')
    await page.waitForFunction(() => document.querySelectorAll('.device').length === 4)
    shed.child.kill('SIGKILL')
    await shed.ended
    await page.waitForFunction(() => document.querySelectorAll('.device').length === 3, { timeout: 3000 })
    await go('events')
    const shown = async (how: RegExp, count: number): Promise<void> => {
      await page.waitForFunction(
        (pattern, wanted) => {
          const lines = [...document.querySelectorAll('.events li')]
          return (
            lines.length === wanted && lines.every(({ textContent }) => new RegExp(pattern).test(textContent ?? ''))
          )
        },
        { timeout: 5000 },
        ...([how.source, count] as const)
      )
    }
    await page.waitForSelector('.tools option[value="left"]')
    await page.select('.tools select', 'left')
    await shown(/lost shed: /, 1)
    await page.select('.tools select', 'joined')
    await shown(/is there/, 3)
    await page.select('.tools label:nth-of-type(2) select', 'hall')
    await shown(/hall is there/, 1)
  })
})

const axeSource = async (): Promise<string> => (await import('node:fs/promises')).readFile(AXE, 'utf8')
