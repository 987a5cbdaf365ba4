import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { TensorProto_DataType as T } from 'onnx-buf'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import { buildModel, node, value } from '../../src/testing/onnx-builder.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const VIEWS = ['cluster', 'placement', 'events']
const TOKEN = 'a-token-for-looking'

let folder: string
let porch: NodeProcess
let shed: NodeProcess
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
  porch = startNode('porch', [
    ...['--state', join(folder, 'porch'), '--dashboard', '0', '--serve-token-file', join(folder, 'token')],
    ...['--model', `${join(folder, 'model.onnx')}:m`, '--source', 'cam=synthetic:10000,model=m,rate=20/s'],
    ...['--sink', join(folder, 'out.jsonl')]
  ])
  const invite = String((await porch.event('listening'))['invite'])
  url = String((await porch.event('dashboard'))['url'])
  shed = startNode('shed', ['--state', join(folder, 'shed'), '--join', invite])
  await porch.status(({ devices, sources }) => devices.length === 2 && (sources[0]?.completed ?? 0) > 10)
})

afterAll(async () => {
  for (const { child } of [porch, shed]) child.kill('SIGKILL')
  await Promise.all([porch.ended, shed.ended])
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

test('what is live comes as events, all of it first', async () => {
  const over = new AbortController()
  const answer = await fetch(`${url}api/live`, { headers: { authorization: `Bearer ${TOKEN}` }, signal: over.signal })
  const { value: bytes } = await answer.body!.getReader().read()
  const [first] = Buffer.from(bytes!).toString().split('\n\n')
  const change = JSON.parse(first!.slice('data: '.length))
  expect(change.devices.map(({ name }: { name: string }) => name)).toEqual(['porch', 'shed'])
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
      ['porch', 'shed']
    )
    expect(await text('main')).toMatch(/cam/)
    expect(await text('.limit')).toMatch(/Nothing is used up|computes all the time/)
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
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H2')
      expect((await page.title()).toLowerCase()).toContain(`${path} of porch`)
    }
    await page.goBack()
    expect(await text('h2')).toBe('Placement')
  })

  test.for([
    ['a phone', 390, 844, 'light'],
    ['a phone in the dark', 390, 844, 'dark'],
    ['a screen', 1400, 900, 'light'],
    ['a screen in the dark', 1400, 900, 'dark']
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
    await page.waitForFunction(() => document.querySelectorAll('.device').length === 2)
    shed.child.kill('SIGKILL')
    await shed.ended
    await page.waitForFunction(() => document.querySelectorAll('.device').length === 1, { timeout: 3000 })
  })
})

const axeSource = async (): Promise<string> => (await import('node:fs/promises')).readFile(AXE, 'utf8')
