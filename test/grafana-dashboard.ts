import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` }

/** A query and the words of its legend. */
type Query = readonly [expression: string, legend: string]

/** All metrics are asked for with the job that the reader has chosen. */
const of = (metric: string, labels = ''): string => `${metric}{job=~"$job"${labels === '' ? '' : `,${labels}`}}`

const rateOf = (metric: string, labels = ''): string => `rate(${of(metric, labels)}[$__rate_interval])`

const sumBy = (labels: string, expression: string): string => `sum by (${labels}) (${expression})`

/** Devices are named as people named them, and not by where they are scraped. */
const named = (expression: string): string =>
  `(${expression}) * on (job, instance) group_left (name) ${of('tributary_device_info')}`

const quantile = (share: number, metric: string, by: string): string =>
  `histogram_quantile(${share}, sum by (le, ${by}) (${rateOf(`${metric}_bucket`)}))`

const targets = (queries: readonly Query[], isInstant = false): DataqueryBuilder[] =>
  queries.map(([expression, legend], i) => {
    const query = new DataqueryBuilder()
      .expr(expression)
      .legendFormat(legend)
      .refId(String.fromCharCode(65 + i))
      .datasource(DATASOURCE)
    return isInstant ? query.instant() : query.range()
  })

const number = (title: string, description: string, expression: string, unit = 'short'): StatBuilder =>
  new StatBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .height(4)
    .span(4)
    .targets(targets([[expression, title]], true))

const lines = (title: string, description: string, unit: string, ...queries: readonly Query[]): TimeseriesBuilder =>
  new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .fillOpacity(8)
    .height(8)
    .span(12)
    .targets(targets(queries))

/** What deploy/grafana/tributary.json is written from. */
export const grafanaDashboard = (): Dashboard =>
  new DashboardBuilder('Tributary')
    .uid('tributary')
    .description('A cluster of Tributary devices: what it gives, what limits it, and what it lets go.')
    .tags(['tributary'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('job')
        .label('job')
        .datasource(DATASOURCE)
        .query({ query: 'label_values(tributary_device_info, job)', refId: 'job' })
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.+')
    )
    .withRow(new RowBuilder('The cluster'))
    .withPanel(number('Devices', 'That are in the cluster now.', `max(${of('tributary_cluster_devices')})`))
    .withPanel(number('Lost', 'Have left and have not come back.', `max(${of('tributary_cluster_devices_lost')})`))
    .withPanel(number('Results', 'Of all sources.', `sum(${rateOf('tributary_results_total')})`, 'reqps'))
    .withPanel(number('Under way', 'Data that are not home yet.', `sum(${of('tributary_in_flight')})`))
    .withPanel(
      number('Blocks that fit nowhere', 'Their data wait.', `max(${of('tributary_placement_unplaced_blocks')})`)
    )
    .withPanel(number('Troubles', '`tributary status` says them in words.', `sum(${of('tributary_device_troubles')})`))
    .withRow(new RowBuilder('What sources get'))
    .withPanel(
      lines('Results', 'Whose result is in their sink.', 'reqps', [
        sumBy('source', rateOf('tributary_results_total')),
        '{{source}}'
      ])
    )
    .withPanel(
      lines(
        'Time until a result is back',
        'From when a datum was there.',
        's',
        [quantile(0.5, 'tributary_inference_seconds', 'source'), '{{source}}, half of them'],
        [quantile(0.95, 'tributary_inference_seconds', 'source'), '{{source}}, 95 %'],
        [quantile(0.99, 'tributary_inference_seconds', 'source'), '{{source}}, 99 %']
      )
    )
    .withPanel(
      lines(
        'Without a result',
        'Let go by a rule, not readable or not computable, come twice, sent again.',
        'reqps',
        [sumBy('source, reason', rateOf('tributary_dropped_total')), '{{source}}: {{reason}}'],
        [sumBy('source', rateOf('tributary_failed_total')), '{{source}}: failed'],
        [sumBy('source', rateOf('tributary_duplicates_total')), '{{source}}: twice'],
        [sumBy('source', rateOf('tributary_resent_total')), '{{source}}: sent again']
      )
    )
    .withPanel(
      lines('Under way', 'Data that are not home yet.', 'short', [
        sumBy('source', of('tributary_in_flight')),
        '{{source}}'
      ])
    )
    .withRow(new RowBuilder('Where the time goes'))
    .withPanel(
      lines(
        'Waiting and computing, 95 %',
        'Of a block on its device.',
        's',
        [quantile(0.95, 'tributary_queueing_seconds', 'model'), '{{model}}: waits'],
        [quantile(0.95, 'tributary_compute_seconds', 'model'), '{{model}}: computes']
      )
    )
    .withPanel(
      lines('Passing a link, 95 %', 'Of an activation.', 's', [
        quantile(0.95, 'tributary_transfer_seconds', 'instance, to'),
        '{{instance}} to {{to}}'
      ])
    )
    .withRow(new RowBuilder('Devices'))
    .withPanel(
      lines('Computing', 'Share of the time in which a block ran.', 'percentunit', [
        named(rateOf('tributary_device_busy_seconds_total')),
        '{{name}}'
      ]).max(1)
    )
    .withPanel(
      lines('Waiting tasks', 'For the lane, for links, for a block that nobody carries.', 'short', [
        named(sumBy('job, instance, queue', of('tributary_device_queue'))),
        '{{name}}: {{queue}}'
      ])
    )
    .withPanel(
      lines(
        'Memory',
        'Of the blocks that are carried, what is allowed for them, and of the whole process.',
        'bytes',
        [named(sumBy('job, instance', of('tributary_device_model_bytes'))), '{{name}}: blocks'],
        [named(`${of('tributary_device_memory_limit_bytes')} < Inf`), '{{name}}: allowed'],
        [named(of('process_resident_memory_bytes')), '{{name}}: process']
      )
    )
    .withPanel(
      lines('How late its event loop is, 99 %', 'Above some tens of milliseconds others wait for it.', 's', [
        named(of('nodejs_eventloop_lag_p99_seconds')),
        '{{name}}'
      ])
    )
    .withRow(new RowBuilder('Links'))
    .withPanel(
      lines('Sent', 'From one device to another.', 'Bps', [
        named(sumBy('job, instance, to', rateOf('tributary_link_sent_bytes_total'))),
        '{{name}} to {{to}}'
      ])
    )
    .withPanel(
      lines('What a link can carry', 'As measured by what was sent.', 'Bps', [
        named(of('tributary_link_rate_bytes_per_second')),
        '{{name}} to {{to}}'
      ])
    )
    .withPanel(
      lines('Latency of links', 'As measured by what was sent.', 's', [
        named(of('tributary_link_latency_seconds')),
        '{{name}} to {{to}}'
      ])
    )
    .withPanel(
      lines(
        'Refused',
        'Strangers, frames that are none or too large, tasks that were not taken, results of whoever was not asked.',
        'reqps',
        [named(rateOf('tributary_refused_peers_total')), '{{name}}: peers'],
        [named(rateOf('tributary_malformed_frames_total')), '{{name}}: malformed'],
        [named(rateOf('tributary_oversized_frames_total')), '{{name}}: too large'],
        [named(rateOf('tributary_refused_tasks_total')), '{{name}}: tasks'],
        [named(rateOf('tributary_refused_results_total')), '{{name}}: results']
      )
    )
    .withPanel(
      lines('Audits', 'Data that were computed a second time, by what came of it.', 'reqps', [
        sumBy('outcome', rateOf('tributary_audits_total')),
        '{{outcome}}'
      ])
    )
    .withPanel(
      lines('Beyond a budget', 'What other devices asked or said beyond what one may, by the budget.', 'reqps', [
        sumBy('budget', rateOf('tributary_beyond_budget_total')),
        '{{budget}}'
      ])
    )
    .withRow(new RowBuilder('Placement'))
    .withPanel(
      lines('Plans', 'By what had changed.', 'short', [
        sumBy('cause', `increase(${of('tributary_plans_total')}[$__rate_interval])`),
        '{{cause}}'
      ])
    )
    .withPanel(
      lines('Off the plan', 'The speed or rate that is furthest from what was planned with.', 'percentunit', [
        `max(${of('tributary_plan_drift_ratio')})`,
        'drift'
      ])
    )
    .withPanel(
      lines('Weights fetched', 'From other devices.', 'Bps', [
        named(rateOf('tributary_weights_fetched_bytes_total')),
        '{{name}}'
      ])
    )
    .withPanel(
      lines('Blocks carried', 'By device and model.', 'short', [
        named(of('tributary_device_model_blocks')),
        '{{name}}: {{model}}'
      ])
    )
    .withRow(new RowBuilder('Other programs'))
    .withPanel(
      lines('Requests', 'By route and by status of HTTP or gRPC.', 'reqps', [
        sumBy('route, code', rateOf('tributary_serving_requests_total')),
        '{{route}}: {{code}}'
      ]).span(24)
    )
    .build()
