import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { expect, test } from 'vitest'
import { startNode } from '../../src/testing/node-process.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

test('a site that has its name point at a node without a token reads nothing and asks nothing of it', async context => {
  if (CHROMIUM === undefined) return context.skip('chromium is absent: install the package chromium')
  const folder = await mkdtemp(join(tmpdir(), 'tributary-names-'))
  const porch = startNode('porch', ['--state', join(folder, 'porch'), '--dashboard', '0'])
  const browser = await puppeteer.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP evil.example 127.0.0.1']
  })
  try {
    const { port } = new URL(String((await porch.event('dashboard'))['url']))
    const page = await browser.newPage()
    const statusesAt = async (origin: string): Promise<number[]> => {
      await page.goto(origin)
      return page.evaluate(async () => {
        const asked: [string, RequestInit?][] = [
          ...['/api/plan', '/api/results', '/metrics'].map((path): [string] => [path]),
          ['/api/preview', { method: 'POST', body: '{"leaves":"porch"}' }]
        ]
        return Promise.all(asked.map(async ([path, init]) => (await fetch(path, init)).status))
      })
    }
    expect(await statusesAt(`http://evil.example:${port}/`)).toEqual([403, 403, 403, 403])
    expect(await statusesAt(`http://localhost:${port}/`)).toEqual([200, 200, 200, 200])
  } finally {
    await browser.close()
    porch.child.kill('SIGKILL')
    await porch.ended
    await rm(folder, { recursive: true, force: true })
  }
})
