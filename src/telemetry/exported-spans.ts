import type { SpanExporter } from '@opentelemetry/sdk-trace-base'

/** As it is, and says when spans cannot be given away: once, and when they can again. */
export const exportedSpans = (exporter: SpanExporter, say: (text: string, level?: 'warn') => void): SpanExporter => {
  let isLost = false
  return {
    export: (spans, done) =>
      exporter.export(spans, result => {
        const hasFailed = result.code !== 0
        if (hasFailed && !isLost)
          say(`traces cannot be sent: ${result.error?.message ?? 'no reason was told'}; data go on without`, 'warn')
        if (!hasFailed && isLost) say('traces are sent again')
        isLost = hasFailed
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush!() })
  }
}
