import { withPackages } from '../core/with-packages.ts'
import { DataSpans, type DataSpansParts } from './data-spans.ts'
import { exportedSpans } from './exported-spans.ts'

export interface TracingOptions extends Omit<DataSpansParts, 'tracer' | 'share'> {
  /** @default what the environment says, else 0.01 */
  readonly share: number | undefined
  /** Of an OTLP receiver over HTTP. @default what the environment says, else http://localhost:4318 */
  readonly endpoint: URL | undefined
  /** Of Tributary. */
  readonly version: string
  /** OTEL_* are understood as OpenTelemetry has them. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly say: (text: string, level?: 'warn') => void
}

export interface Tracing extends AsyncDisposable {
  readonly spans: DataSpans
  /** Where they go. */
  readonly to: string
  readonly share: number
}

const PACKAGES = [
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/resources'
]

/** Spans go out in batches; what is left at the end is given so many milliseconds. */
const PATIENCE = 3000

/** @throws UserError `packageMissing` */
export const openTracing = async ({
  endpoint,
  version,
  environment,
  say,
  ...parts
}: TracingOptions): Promise<Tracing> => {
  const { sdk, otlp, resources } = await withPackages('Tracing', PACKAGES, async () => {
    const [sdk, otlp, resources] = await Promise.all([
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources')
    ])
    return { sdk, otlp, resources }
  })
  const to = endpoint === undefined ? undefined : tracesAt(endpoint)
  const exporter = new otlp.OTLPTraceExporter({ timeoutMillis: PATIENCE, ...(to === undefined ? {} : { url: to }) })
  const named = resources.resourceFromAttributes({
    'service.name': 'tributary',
    'service.version': version,
    'service.instance.id': parts.device
  })
  const provider = new sdk.BasicTracerProvider({
    resource: named.merge(resources.detectResources({ detectors: [resources.envDetector] })),
    sampler: new sdk.AlwaysOnSampler(), // of data, not of spans: a datum is followed whole or not at all
    spanProcessors: [new sdk.BatchSpanProcessor(exportedSpans(exporter, say))]
  })
  const share = parts.share ?? shareIn(environment) ?? 0.01
  const spans = new DataSpans({ ...parts, share, tracer: provider.getTracer('tributary', version) })
  return { spans, share, to: to ?? endpointIn(environment), [Symbol.asyncDispose]: () => provider.shutdown() }
}

/** A receiver is named by its address alone, or by the whole path. */
const tracesAt = (endpoint: URL): string =>
  endpoint.pathname === '/' ? new URL('/v1/traces', endpoint).href : endpoint.href

const endpointIn = (environment: TracingOptions['environment']): string =>
  environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ??
  environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ??
  'http://localhost:4318/v1/traces'

const shareIn = ({
  OTEL_TRACES_SAMPLER: sampler,
  OTEL_TRACES_SAMPLER_ARG: argument
}: TracingOptions['environment']): number | undefined => {
  if (sampler === 'always_on' || sampler === 'parentbased_always_on') return 1
  if (sampler === 'always_off' || sampler === 'parentbased_always_off') return 0
  const share = Number(argument ?? '')
  return argument !== undefined && argument !== '' && share >= 0 && share <= 1 ? share : undefined
}
