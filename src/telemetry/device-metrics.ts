import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { REPLAN_CAUSES } from '../core/replan-cause.ts'
import { AUDIT_OUTCOMES } from '../runtime/device/audit/auditor.ts'
import type { ClusterStatus } from '../runtime/device/device-status.ts'
import type { DeviceObserver } from '../runtime/ports/device-observer.ts'
import { BoundedLabels } from './bounded-labels.ts'
import { METRICS, type MetricKey } from './metric-table.ts'

/** Seconds: from a hop on one machine to a model on a slow one. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Of prom-client: gauges with the names of counters. What they count stands in others by type. */
const MISNAMED = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total']

type Labels = Readonly<Record<string, string>>

export interface DeviceMetricsParts {
  readonly version: string
}

/** What is asked for when somebody looks. */
export interface MeasuredDevice {
  readonly view: { readonly self: string }
  status(): ClusterStatus
  ownSources(): ClusterStatus['sources']
}

type Own = ClusterStatus['devices'][number]

/**
 * A device in numbers for Prometheus. What a device counts itself is read when somebody asks; only what it does not keep, how long
 * things took and what became of data, is counted as it happens.
 */
export class DeviceMetrics implements DeviceObserver {
  readonly contentType: string
  readonly #registry = new Registry()
  readonly #labels = new BoundedLabels()
  readonly #known = new Map<MetricKey, Map<string, Labels>>()
  readonly #version: string
  readonly #gauges = new Map<MetricKey, Gauge>()
  readonly #counters = new Map<MetricKey, Counter>()
  readonly #histograms = new Map<MetricKey, Histogram>()
  #device: MeasuredDevice | undefined

  constructor({ version }: DeviceMetricsParts) {
    this.#version = version
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name)
    for (const [key, { name, kind, help, labels }] of Object.entries(METRICS) as [
      MetricKey,
      (typeof METRICS)[MetricKey]
    ][]) {
      const configuration = { name, help, labelNames: [...labels], registers }
      if (kind === 'gauge') this.#gauges.set(key, new Gauge(configuration))
      else if (kind === 'counter') this.#counters.set(key, new Counter(configuration))
      else this.#histograms.set(key, new Histogram({ ...configuration, buckets: BUCKETS }))
    }
    this.contentType = this.#registry.contentType
  }

  /** From now on it is asked. */
  watch(device: MeasuredDevice): void {
    this.#device = device
  }

  /** What Prometheus reads. */
  text(): Promise<string> {
    if (this.#device !== undefined) this.#look(this.#device)
    return this.#registry.metrics()
  }

  // ---- as it happens ----

  ran({ model, ready, start, end }: Parameters<DeviceObserver['ran']>[0]): void {
    this.#observe('queueing', start - ready, { model })
    this.#observe('compute', end - start, { model })
  }

  sent({ to, start, end }: Parameters<DeviceObserver['sent']>[0]): void {
    this.#observe('transfer', end - start, { to })
  }

  admitted({ source }: Parameters<DeviceObserver['admitted']>[0]): void {
    this.#count('admitted', 1, { source: nameOf(source) })
  }

  ended(end: Parameters<DeviceObserver['ended']>[0]): void {
    const source = nameOf(end.source)
    if (end.outcome === 'dropped') this.#count('dropped', 1, { source, reason: end.reason })
    else if (end.outcome === 'failed') this.#count('failed', 1, { source, reason: end.reason })
    else {
      this.#count('results', 1, { source })
      this.#observe('inference', end.at - end.available, { source })
    }
  }

  /** A request of another program. */
  answered(route: string, code: number): void {
    this.#count('answered', 1, { route, code: String(code) })
  }

  // ---- when it is asked for ----

  #look(device: MeasuredDevice): void {
    const status = device.status()
    const own = status.devices.find(({ id }) => id === device.view.self)!
    this.#lookAtDevice(own)
    this.#lookAtModels(own)
    this.#lookAtLinks(own)
    this.#lookAtSources(device.ownSources())
    this.#lookAtCluster(status)
  }

  #lookAtDevice(own: Own): void {
    const { name, id, policy } = own
    this.#only('info', [[1, { name, id, policy, version: this.#version }]])
    this.#only('state', [[1, { state: own.state }]])
    this.#set('uptime', own.uptime)
    this.#set('busy', own.busy)
    this.#is('busySeconds', own.busySeconds)
    this.#is('tasks', own.tasks)
    for (const [queue, size] of Object.entries(own.queue)) this.#set('queue', size, { queue })
    this.#set('memoryLimit', own.memory ?? Number.POSITIVE_INFINITY)
    this.#is('fetched', own.weightsFetched)
    this.#set('troubles', own.troubles.length)
    this.#set('drift', own.planning.drift)
    this.#are(
      'plans',
      REPLAN_CAUSES.map(cause => [own.planning.plans[cause] ?? 0, { cause }])
    )
    this.#are(
      'jobFailures',
      own.jobs.map(({ job, times }) => [times, { what: job }])
    )
    const { refusedPeers, malformedFrames, oversizedFrames, refusedTasks, unproven, beyondBudget } = own.counters
    this.#are(
      'beyondBudget',
      Object.entries(beyondBudget).map(([budget, times]) => [times, { budget }])
    )
    this.#is('refusedPeers', refusedPeers)
    this.#is('malformed', malformedFrames)
    this.#is('oversized', oversizedFrames)
    this.#is('refusedTasks', refusedTasks)
    this.#is('unproven', unproven)
    this.#are(
      'audits',
      AUDIT_OUTCOMES.map(outcome => [own.audits[outcome], { outcome }])
    )
  }

  #lookAtModels({ models }: Own): void {
    const held = Object.entries(models)
    this.#only(
      'modelBytes',
      held.map(([model, { residentBytes }]) => [residentBytes, { model }])
    )
    this.#only(
      'modelBlocks',
      held.map(([model, { blocks }]) => [blocks.length, { model }])
    )
  }

  #lookAtLinks({ links }: Own): void {
    this.#are(
      'linkSent',
      links.map(({ to, bytesSent }) => [bytesSent, { to }])
    )
    this.#only(
      'linkRate',
      links.map(({ to, rate }) => [rate, { to }])
    )
    this.#only(
      'linkLatency',
      links.map(({ to, latency }) => [latency, { to }])
    )
  }

  #lookAtSources(sources: ClusterStatus['sources']): void {
    this.#only(
      'inFlight',
      sources.map(({ name: source, inFlight }) => [inFlight, { source }])
    )
    this.#only(
      'sourceState',
      sources.map(({ name: source, state }) => [1, { source, state }])
    )
    this.#are(
      'duplicates',
      sources.map(({ name: source, duplicates }) => [duplicates, { source }])
    )
    this.#are(
      'resent',
      sources.map(({ name: source, resent }) => [resent, { source }])
    )
  }

  #lookAtCluster({ devices, losses, placement }: ClusterStatus): void {
    this.#set('devices', devices.length)
    this.#set('devicesLost', losses.devicesLost)
    this.#set('placement', placement.epoch)
    this.#set('placed', placement.ready ? 1 : 0)
    this.#set('unplaced', placement.unplaced.length)
  }

  // ---- prom-client ----

  /** Asked for several times for each datum: what has been answered before is kept, unless it was a stranger's name. */
  #bounded(key: MetricKey, labels: Labels): Labels {
    const known = this.#known.get(key) ?? new Map<string, Labels>()
    this.#known.set(key, known)
    const values = Object.values(labels).join('\0')
    const before = known.get(values)
    if (before !== undefined) return before
    const bounded = Object.fromEntries(
      Object.entries(labels).map(([label, value]) => [
        label,
        this.#labels.value(`${METRICS[key].name} ${label}`, value)
      ])
    )
    if (Object.values(bounded).join('\0') === values) known.set(values, bounded)
    return bounded
  }

  #observe(key: MetricKey, seconds: number, labels: Labels): void {
    this.#histograms.get(key)!.observe(this.#bounded(key, labels), Math.max(0, seconds))
  }

  #count(key: MetricKey, by: number, labels: Labels): void {
    this.#counters.get(key)!.inc(this.#bounded(key, labels), by)
  }

  #set(key: MetricKey, value: number, labels: Labels = {}): void {
    this.#gauges.get(key)!.set(this.#bounded(key, labels), value)
  }

  /** What the device has counted itself. */
  #is(key: MetricKey, value: number): void {
    this.#are(key, [[value, {}]])
  }

  #are(key: MetricKey, values: readonly (readonly [number, Labels])[]): void {
    const counter = this.#counters.get(key)!
    counter.reset()
    for (const [value, labels] of values) counter.inc(this.#bounded(key, labels), value)
  }

  /** Those that are gone are not shown any more. */
  #only(key: MetricKey, values: readonly (readonly [number, Labels])[]): void {
    this.#gauges.get(key)!.reset()
    for (const [value, labels] of values) this.#set(key, value, labels)
  }
}

/** "cam" of "cam@porch". */
const nameOf = (source: string): string => /^(.+)@/.exec(source)?.[1] ?? source
