import { existsSync } from 'node:fs'
import puppeteer, { type Page } from 'puppeteer-core'
import { seconds } from '../src/core/units.ts'
import type { DashboardParts } from '../src/dashboard/open-dashboard.ts'
import { openDashboard } from '../src/dashboard/open-dashboard.ts'
import { RecentLines } from '../src/dashboard/recent-lines.ts'
import { RecentResults } from '../src/dashboard/recent-results.ts'
import { systemClock, wallTime } from '../src/runtime/system-clock.ts'
import { LivelyCluster } from './dashboard/lively-cluster.ts'
import { judge } from './judge.ts'

// The real server of the dashboard in this process, told of a made-up cluster of 50 devices that compute 2,000 data a second,
// and real Chromium that looks at it: frames a second of each view, and what looking costs this process beyond what making
// the cluster up costs it while nobody looks. Making a status is part of it; what asking 49
// devices for their steps costs, and the planner, are not.

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const LOOKED_AT = 10_000

if (CHROMIUM === undefined) {
  process.stderr.write('dashboard: chromium is absent: install the package chromium\n')
  process.exit(0)
}
/** What the planner says is computed in a process of its own, and not here. */
const PLANS = { history: () => [], blockBytes: () => ({}), stand: () => '', foresee: () => new Promise(() => {}) }
const cluster = new LivelyCluster({ devices: 50, sources: 10, rate: 2000, clock: systemClock })
const results = new RecentResults(systemClock)
const running = cluster.run(results)
const parts: DashboardParts = {
  ...{ at: { host: '127.0.0.1', port: 0 }, token: undefined, tls: undefined },
  ...{
    status: () => cluster.status(),
    lines: new RecentLines(wallTime),
    results,
    steps: cluster,
    clock: systemClock,
    wallTime
  },
  ...{ plans: PLANS as unknown as DashboardParts['plans'], actions: { because: 'it is a bench' } },
  say: text => process.stderr.write(`${text}\n`)
}
await using dashboard = await openDashboard(parts)

/** Share of a core that this process takes for a while. */
const share = async (): Promise<number> => {
  const [before, begun] = [process.cpuUsage(), systemClock.now()]
  await systemClock.sleep(seconds(LOOKED_AT / 1000))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6 / (systemClock.now() - begun)
}

const framesOf = (page: Page): Promise<number> =>
  page.evaluate(
    time =>
      new Promise<number>(resolve => {
        const begun = performance.now()
        let frames = 0
        requestAnimationFrame(function next(now) {
          frames++
          if (now - begun < time) requestAnimationFrame(next)
          else resolve((1000 * frames) / (now - begun))
        })
      }),
    LOOKED_AT
  )

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`

await share() // compiled by then
const nobody = await share()
process.stdout.write(`nobody looks: ${percent(nobody)} of a core, of which the page has nothing\n`)
const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
try {
  const page = await browser.newPage()
  await page.setViewport({ width: 1400, height: 900 })
  for (const view of ['cluster', 'placement', 'timelines', 'results', 'events']) {
    await page.goto(`http://127.0.0.1:${dashboard.at.port}/#${view}`)
    await page.waitForSelector(`nav [href="#${view}"][aria-current]`)
    await systemClock.sleep(seconds(2))
    const [frames, looked] = await Promise.all([framesOf(page), share()])
    process.stdout.write(judge(`${view}: frames a second`, frames.toFixed(0), frames, { atLeast: 30 }))
    const cost = looked - nobody
    process.stdout.write(judge(`${view}: of a core, on the node`, percent(cost), cost, { atMost: 0.05 }))
  }
} finally {
  await browser.close()
  cluster.stop()
  await running
}
