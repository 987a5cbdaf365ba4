// `node scripts/dashboard-pictures.mjs`: the README's pictures of the dashboard, of a cluster of four real devices that read
// text, into docs/figures. With a folder: every view, or those
// named behind it, at three sizes, in both themes, into that, to be looked at.
// Needs Chromium, and what `npm ci` installs.
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import puppeteer from 'puppeteer-core'
import sharp from 'sharp'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const compiled = join(root, 'dist', 'src', 'cli')
const { renderImages } = await import(join(compiled, 'demo', 'render-images.js'))
const { ocrModelPath } = await import(join(compiled, 'demo', 'ocr-model-path.js'))

const VIEWS = ['cluster', 'placement', 'timelines', 'results', 'events']
const SIZES = { screen: [1400, 900], phone: [390, 844], tablet: [820, 1180] }
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
/** Until what is shown has settled. */
const SETTLES = 3500
/** Until the planner has said what limits: its process gives way to all others, and begins anew where it was ended. */
const PLANS = 600_000

const [folder, ...asked] = process.argv.slice(2)
const scratch = await mkdtemp(join(tmpdir(), 'tributary-pictures-'))
const children = []
const start = (name, flags) => {
  const common = ['--listen', '127.0.0.1:0', '--no-mdns', '--json-events', '--exit-with-parent', '--print-invite']
  const own = ['--name', name, '--state', join(scratch, name), '--threads', '1']
  const child = spawn(process.execPath, [join(compiled, 'main.js'), 'node', ...own, ...common, ...flags], {
    stdio: ['pipe', 'pipe', 'ignore']
  })
  children.push(child)
  const lines = createInterface({ input: child.stdout })
  return {
    event: wanted =>
      new Promise(resolve =>
        lines.on('line', line => {
          const event = JSON.parse(line)
          if (event.event === wanted(event)) resolve(event)
        })
      )
  }
}

const browser = await puppeteer.launch({
  protocolTimeout: 2 * PLANS,
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu']
})
process.once('SIGTERM', async () => {
  for (const child of children) child.kill('SIGKILL')
  await browser.close()
  await rm(scratch, { recursive: true, force: true })
  process.exit(143)
})
try {
  const images = join(scratch, 'images')
  await renderImages(images, { sources: ['porch', 'gate'], imagesPerSource: 250, seed: 'pictures' })
  const porch = start('porch', [
    ...[
      '--dashboard',
      '0',
      '--speed',
      '0.25',
      '--memory',
      '8MiB',
      '--model',
      `${ocrModelPath()}:ocr`,
      '--preset',
      'ocr'
    ],
    ...['--source', `cam=dir:${join(images, 'porch')},model=ocr`, '--sink', join(scratch, 'porch.jsonl')]
  ])
  const [{ invite }, { url }] = await Promise.all([porch.event(() => 'listening'), porch.event(() => 'dashboard')])
  const joined = ['--join', invite]
  start('gate', [
    ...[...joined, '--speed', '0.25', '--memory', '8MiB', '--preset', 'ocr'],
    ...['--source', `door=dir:${join(images, 'gate')},model=ocr`, '--sink', join(scratch, 'gate.jsonl')]
  ])
  start('shed', [...joined, '--speed', '0.5'])
  start('attic', [...joined, '--speed', '0.35', '--memory', '6MiB'])
  await porch.event(({ event, status }) => {
    const isRunning = event === 'status' && status.devices.length === 4 && status.placement.ready
    return isRunning && status.sources.length === 2 && status.sources.every(({ completed }) => completed > 25)
      ? event
      : undefined
  })
  const page = await browser.newPage()
  page.on('pageerror', error => process.stderr.write(`${error.message}\n`))
  const picture = async (view, [width, height], theme, file) => {
    await page.setViewport({ width, height })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }])
    await page.goto(`${url}#${view}`)
    await page.waitForSelector(`nav [href="#${view}"][aria-current]`)
    if (view === 'cluster') await page.waitForSelector('section.planned', { timeout: PLANS })
    if (view === 'timelines') await page.waitForSelector('.timeline canvas', { timeout: PLANS })
    await new Promise(resolve => setTimeout(resolve, SETTLES))
    if (view === 'cluster') await page.waitForSelector('.limit.device, .limit.link', { timeout: PLANS })
    const png = await page.screenshot()
    await sharp(png).webp({ quality: 82 }).toFile(`${file}.webp`)
    if (folder !== undefined) await sharp(png).toFile(`${file}.png`)
  }
  if (folder === undefined) {
    const figures = join(root, 'docs', 'figures')
    await picture('cluster', SIZES.screen, 'light', join(figures, 'dashboard-cluster'))
    await picture('timelines', SIZES.screen, 'dark', join(figures, 'dashboard-timelines'))
  } else {
    await mkdir(folder, { recursive: true })
    for (const view of asked.length > 0 ? asked : VIEWS)
      for (const [name, size] of Object.entries(SIZES))
        for (const theme of ['light', 'dark'])
          await picture(view, size, theme, join(folder, `${view}-${name}-${theme}`))
  }
} finally {
  await browser.close()
  for (const child of children) child.kill('SIGKILL')
  await rm(scratch, { recursive: true, force: true })
}
