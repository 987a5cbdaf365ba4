interface Metric {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}

const counter = (name: string, help: string, ...labels: readonly string[]): Metric => ({
  name,
  kind: 'counter',
  help,
  labels
})
const gauge = (name: string, help: string, ...labels: readonly string[]): Metric => ({
  name,
  kind: 'gauge',
  help,
  labels
})
const histogram = (name: string, help: string, ...labels: readonly string[]): Metric => ({
  name,
  kind: 'histogram',
  help,
  labels
})

/** All that a device says of itself to Prometheus; docs/metrics.md is made from it. Seconds, bytes, and counts since the process began. */
export const METRICS = {
  admitted: counter('tributary_admitted_total', 'Data that a source of this device has sent on their way', 'source'),
  results: counter('tributary_results_total', 'Data whose result is in their sink', 'source'),
  dropped: counter('tributary_dropped_total', 'Data that were let go, by the rule that did it', 'source', 'reason'),
  failed: counter(
    'tributary_failed_total',
    'Data that have failed for good: noItem (no item of its kind, or not read in time), unreadable (under way, and cannot be read again), computation, result (what came home is none)',
    'source',
    'reason'
  ),
  duplicates: counter('tributary_duplicates_total', 'Results that came a second time and were not taken', 'source'),
  resent: counter('tributary_resent_total', 'Data that were sent out again', 'source'),
  inFlight: gauge('tributary_in_flight', 'Data that are under way', 'source'),
  sourceState: gauge('tributary_source_state', '1 for the state that a source is in', 'source', 'state'),
  inference: histogram(
    'tributary_inference_seconds',
    'From when a datum was there until its result was back at its source',
    'source'
  ),
  queueing: histogram(
    'tributary_queueing_seconds',
    'What a task waited on this device before its block was run',
    'model'
  ),
  compute: histogram('tributary_compute_seconds', 'What a block took on this device', 'model'),
  transfer: histogram('tributary_transfer_seconds', 'What an activation took of a link from this device', 'to'),
  answered: counter(
    'tributary_serving_requests_total',
    'Requests of other programs that were answered, by the status of HTTP or gRPC (0: OK)',
    'route',
    'code'
  ),
  info: gauge('tributary_device_info', '1, with what this device is', 'name', 'id', 'policy', 'version'),
  state: gauge('tributary_device_state', '1 for the state that this device is in', 'state'),
  uptime: gauge('tributary_device_uptime_seconds', 'Since this device was started'),
  busy: gauge('tributary_device_busy_ratio', 'Share of the last ten seconds in which a block ran'),
  busySeconds: counter('tributary_device_busy_seconds_total', 'In which a block ran'),
  tasks: counter('tributary_device_tasks_total', 'Blocks that were run'),
  queue: gauge(
    'tributary_device_queue',
    'Tasks that wait: for the lane, for links, for a block that nobody carries',
    'queue'
  ),
  memoryLimit: gauge('tributary_device_memory_limit_bytes', 'For blocks; +Inf where it is not limited'),
  modelBytes: gauge('tributary_device_model_bytes', 'Of the blocks that this device carries', 'model'),
  modelBlocks: gauge('tributary_device_model_blocks', 'Blocks that this device carries', 'model'),
  fetched: counter('tributary_weights_fetched_bytes_total', 'Weights that were fetched from other devices'),
  troubles: gauge('tributary_device_troubles', 'What is wrong with this device; status says it in words'),
  jobFailures: counter('tributary_job_failures_total', 'What this device failed at and goes on without', 'what'),
  linkSent: counter('tributary_link_sent_bytes_total', 'To another device', 'to'),
  linkRate: gauge('tributary_link_rate_bytes_per_second', 'As measured by what was sent', 'to'),
  linkLatency: gauge('tributary_link_latency_seconds', 'As measured by what was sent', 'to'),
  devices: gauge('tributary_cluster_devices', 'Devices that this one knows to be in the cluster, itself included'),
  devicesLost: gauge('tributary_cluster_devices_lost', 'Devices that were in the cluster and are not any more'),
  placement: gauge('tributary_placement_epoch', 'Term × 1,000,000 + number of the placement that holds'),
  placed: gauge('tributary_placement_ready', '1 where all that is placed is loaded'),
  plans: counter(
    'tributary_plans_total',
    'Plans that this device made for the cluster, by what had changed: first (nothing was planned yet), devices, models, sources, links, drift',
    'cause'
  ),
  drift: gauge(
    'tributary_plan_drift_ratio',
    'By what share the speed or rate that is furthest off differs from what this device planned with; 0 where another one plans'
  ),
  unplaced: gauge('tributary_placement_unplaced_blocks', 'Blocks that fit nowhere'),
  refusedPeers: counter('tributary_refused_peers_total', 'Processes that could not prove the key'),
  malformed: counter('tributary_malformed_frames_total', 'Frames that are none'),
  oversized: counter('tributary_oversized_frames_total', 'Frames beyond a limit'),
  refusedTasks: counter('tributary_refused_tasks_total', 'Tasks that were sent here and not taken'),
  audits: counter(
    'tributary_audits_total',
    'Data that were computed a second time, by what came of it: agreed, deviated (two against one), undecided (no third settles it), impossible (nobody else could)',
    'outcome'
  ),
  unproven: counter(
    'tributary_refused_results_total',
    'Results and other words about data that were refused: whoever sent them was not given these data'
  ),
  beyondBudget: counter(
    'tributary_beyond_budget_total',
    'What other devices asked or said beyond what one may, by the budget of docs/security.md',
    'budget'
  )
} as const satisfies Readonly<Record<string, Metric>>

export type MetricKey = keyof typeof METRICS

/** The table of docs/metrics.md. */
export const metricsAsTable = (): string => {
  const rows = Object.values(METRICS).map(
    ({ name, kind, help, labels }) =>
      `| \`${name}\` | ${kind} | ${labels.map(label => `\`${label}\``).join(', ') || '-'} | ${help} |`
  )
  return ['| name | kind | labels | what |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
