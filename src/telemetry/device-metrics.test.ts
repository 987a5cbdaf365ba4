import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytes, seconds } from '../core/units.ts'
import { loneDevice } from '../testing/lone-device.ts'
import { DeviceMetrics } from './device-metrics.ts'
import { METRICS, metricsAsTable } from './metric-table.ts'

const of = { source: 'cam@porch', datum: 3 }

/** Samples by name and labels, as they stand in the text. */
const samplesOf = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text.split('\n').flatMap(line => {
      const [, name, value] = /^([^#\s].*) (\S+)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, Number(value)] as const]
    })
  )

test('what became of data, and how long things took, is counted as it happens', async () => {
  const metrics = new DeviceMetrics({ version: '1' })
  metrics.admitted({ ...of, available: seconds(0), at: seconds(0) })
  metrics.ran({ ...of, model: 'net', block: 0, ready: seconds(0.2), start: seconds(0.5), end: seconds(0.9) })
  metrics.sent({
    ...of,
    to: 'shed',
    activation: 1,
    bytes: bytes(100),
    ready: seconds(1),
    start: seconds(1),
    end: seconds(1.02)
  })
  metrics.ended({ ...of, outcome: 'result', available: seconds(0), at: seconds(2) })
  for (let i = 0; i < 3; i++) metrics.ended({ ...of, outcome: 'dropped', reason: 'deadline', at: seconds(2) })
  metrics.ended({ ...of, outcome: 'failed', reason: 'computation', at: seconds(2) })
  metrics.admitted({ source: 'gate@porch#1.serve.2', datum: 0, available: seconds(0), at: seconds(0) })
  metrics.answered('ModelInfer', 0)
  const samples = samplesOf(await metrics.text())
  expect(
    Object.fromEntries([...samples].filter(([name]) => /_(?:total|sum)\b/.test(name) && /^trib/.test(name)))
  ).toMatchObject({
    'tributary_admitted_total{source="cam"}': 1,
    'tributary_admitted_total{source="gate"}': 1,
    'tributary_results_total{source="cam"}': 1,
    'tributary_dropped_total{source="cam",reason="deadline"}': 3,
    'tributary_failed_total{source="cam",reason="computation"}': 1,
    'tributary_serving_requests_total{route="ModelInfer",code="0"}': 1,
    'tributary_inference_seconds_sum{source="cam"}': 2,
    'tributary_queueing_seconds_sum{model="net"}': expect.closeTo(0.3, 9),
    'tributary_compute_seconds_sum{model="net"}': expect.closeTo(0.4, 9),
    'tributary_transfer_seconds_sum{to="shed"}': expect.closeTo(0.02, 9)
  })
  expect(samples.get('tributary_inference_seconds_bucket{le="1",source="cam"}')).toBe(0)
  expect(samples.get('tributary_inference_seconds_bucket{le="2.5",source="cam"}')).toBe(1)
})

test('a device is asked when somebody looks', async () => {
  const { device } = loneDevice({ models: [] })
  await using _ = device
  const metrics = new DeviceMetrics({ version: '1' })
  metrics.watch(device)
  const samples = samplesOf(await metrics.text())
  expect(samples.get('tributary_cluster_devices')).toBe(1)
  expect(samples.get('tributary_device_memory_limit_bytes')).toBe(Number.NaN) // "+Inf" is no number here
  expect(samples.get('tributary_device_state{state="new"}')).toBe(1)
  expect([...samples.keys()].filter(name => name.startsWith('tributary_device_info{'))).toHaveLength(1)
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e6)
  expect(samples.get('tributary_plan_drift_ratio')).toBe(0)
  expect(samples.get('tributary_plans_total{cause="drift"}')).toBe(0)
  // Once more: what the device counts is not added up.
  expect(samplesOf(await metrics.text()).get('tributary_cluster_devices')).toBe(1)
})

test('clients and other devices cannot make it grow: there is room for a hundred names', async () => {
  const metrics = new DeviceMetrics({ version: '1' })
  for (let i = 0; i < 1000; i++)
    metrics.admitted({ source: `client-${i}@porch`, datum: 0, available: seconds(0), at: seconds(0) })
  const names = [...samplesOf(await metrics.text())].filter(([name]) => name.startsWith('tributary_admitted_total'))
  expect(names).toHaveLength(101)
  expect(names.at(-1)).toEqual(['tributary_admitted_total{source="other"}', 900])
})

test("names, units and kinds follow Prometheus's conventions", () => {
  for (const { name, kind, labels } of Object.values(METRICS)) {
    expect(name).toMatch(/^tributary_[a-z_]+$/)
    expect(name.endsWith('_total')).toBe(kind === 'counter')
    // Those are of Prometheus itself.
    for (const label of labels) expect(['le', 'quantile', 'job', 'instance']).not.toContain(label)
  }
})

test('a gauge has no name of a counter: Prometheus takes it for one', async () => {
  const text = await new DeviceMetrics({ version: '1' }).text()
  const gauges = [...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name]) => name!)
  expect(gauges.length).toBeGreaterThan(20)
  expect(gauges.filter(name => name.endsWith('_total'))).toEqual([])
})

test('docs/metrics.md has the table that the code makes', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'metrics.md'), 'utf8')
  expect(page.replaceAll(/ +\|/g, ' |').replaceAll(/-{3,}/g, '---')).toContain(metricsAsTable())
})
