import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { METRICS } from '../src/telemetry/metric-table.ts'
import { grafanaDashboard } from './grafana-dashboard.ts'
import { grafanaQueries } from './grafana-queries.ts'

const run = promisify(execFile)
const DEPLOY = join(import.meta.dirname, '..', 'deploy')
/** Of these, what histograms are asked for by. */
const SUFFIX = /_(?:bucket|sum|count)$/
/** Of the process, and of Prometheus itself. */
const OF_OTHERS = ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds', 'up']

const hasPromtool = (): Promise<boolean> =>
  run('promtool', ['--version']).then(
    () => true,
    () => false
  )

/** Names of metrics in an expression: words that are neither labels nor functions. */
const metricsIn = (expression: string): string[] =>
  [...expression.matchAll(/\b(?:tributary_|process_|nodejs_)\w+|\bup\b/g)].map(([name]) => name)

const declared = Object.values(METRICS).map(({ name }) => name as string)

const unknownIn = (expression: string): string[] =>
  metricsIn(expression).filter(name => {
    const histogram = METRICS_BY_NAME.get(name.replace(SUFFIX, ''))?.kind === 'histogram'
    return !declared.includes(name) && !(SUFFIX.test(name) && histogram) && !OF_OTHERS.includes(name)
  })

const METRICS_BY_NAME = new Map(Object.values(METRICS).map(metric => [metric.name as string, metric]))

test("the dashboard is what its builder gives, by Grafana's own types (write it anew with vitest -u)", async () => {
  const text = `${JSON.stringify(grafanaDashboard(), undefined, 2)}\n`
  await expect(text).toMatchFileSnapshot(join(DEPLOY, 'grafana', 'tributary.json'))
  const { panels = [] } = JSON.parse(text) as { panels?: { gridPos: { x: number; w: number } }[] }
  expect(panels.length).toBeGreaterThan(20)
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
})

test('every query of the dashboard and of the alerts asks for what there is, and every metric of ours is asked for', async () => {
  const rules = parse(await readFile(join(DEPLOY, 'prometheus', 'rules.yml'), 'utf8')) as {
    groups: { rules: { expr: string }[] }[]
  }
  const alerts = rules.groups.flatMap(group => group.rules.map(({ expr }) => expr))
  const queries = await grafanaQueries()
  expect(queries.length).toBeGreaterThan(30)
  expect([...queries, ...alerts].flatMap(unknownIn)).toEqual([])
  const asked = new Set([...queries, ...alerts].flatMap(metricsIn).map(name => name.replace(SUFFIX, '')))
  // These say what others say already, or are for whoever looks for one thing.
  const left = ['uptime', 'busy', 'state', 'tasks', 'jobFailures', 'placement', 'placed'] as const
  const notAsked = Object.entries(METRICS).filter(([, { name }]) => !asked.has(name.replace(SUFFIX, '')))
  expect(notAsked.map(([key]) => key).sort()).toEqual([...left].sort())
})

test('Prometheus understands every query of the dashboard', async context => {
  if (!(await hasPromtool())) return context.skip('promtool is absent: install the package prometheus')
  const folder = await mkdtemp(join(tmpdir(), 'tributary-grafana-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const rules = (await grafanaQueries()).map((expr, i) => ({ record: `panel:${i}`, expr }))
  const file = join(folder, 'rules.yml')
  await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
  await run('promtool', ['check', 'rules', file])
  await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules: [{ record: 'x', expr: 'sum by (' }] }] }))
  await expect(run('promtool', ['check', 'rules', file])).rejects.toThrow()
})

test('each alert comes when it should, and only then', async context => {
  if (!(await hasPromtool())) return context.skip('promtool is absent: install the package prometheus')
  const file = join(DEPLOY, 'prometheus', 'rules.test.yml')
  const { tests } = parse(await readFile(file, 'utf8')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[]
  }
  const { groups } = parse(await readFile(join(DEPLOY, 'prometheus', 'rules.yml'), 'utf8')) as {
    groups: { rules: { alert: string }[] }[]
  }
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test)
  for (const { alert } of groups.flatMap(({ rules }) => rules)) {
    const own = cases.filter(({ alertname }) => alertname === alert)
    expect([alert, own.some(({ exp_alerts = [] }) => exp_alerts.length > 0)]).toEqual([alert, true])
    expect([alert, own.some(({ exp_alerts = [] }) => exp_alerts.length === 0)]).toEqual([alert, true])
  }
  await run('promtool', ['test', 'rules', file], { cwd: join(DEPLOY, 'prometheus') })
}, 20_000)
