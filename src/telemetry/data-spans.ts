import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, type Tracer, trace } from '@opentelemetry/api'
import type { Clock } from '../core/clock.ts'
import type { TraceContext } from '../core/trace-context.ts'
import type { Seconds } from '../core/units.ts'
import type { AdmittedDatum, DataTracer, RefusedRequest } from '../runtime/ports/data-tracer.ts'
import type { DatumStep } from '../runtime/ports/datum-step.ts'
import type { DeviceObserver } from '../runtime/ports/device-observer.ts'
import { stepsObserver } from '../runtime/ports/steps-observer.ts'

export interface DataSpansParts {
  readonly tracer: Tracer
  /** What the device calls itself. */
  readonly device: string
  readonly clock: Pick<Clock, 'now'>
  /** Since 1970. */
  readonly wallTime: () => Seconds
  /** Of the data that nobody follows already, this share is followed. */
  readonly share: number
  /** Evenly from 0 to 1, not 1. */
  readonly chance: () => number
}

/** Whoever never hears what became of more than so many has lost them. */
const MOST_OPEN = 10_000
/** Seconds; to have waited less is not worth a span. */
const WAITED = 0.000_05

interface Part {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly attributes?: Readonly<Record<string, string | number>>
}

/**
 * Spans of OpenTelemetry for the data that are followed. The device of a datum's source has the span of the whole; each
 * device adds, as its children, what it did: waited, ran a block, sent an activation. So it is one tree wherever it was made:
 *
 *   cam                                  porch, from its picture to its result
 *   ├─ wait for the window               porch
 *   ├─ block 0                           porch
 *   ├─ send 1 to shed                    porch
 *   ├─ wait for block 1                  shed
 *   ├─ block 1                           shed
 *   ├─ send 2 to porch                   shed
 *   └─ write the result                  porch
 */
export class DataSpans implements DataTracer {
  readonly observer: DeviceObserver = stepsObserver(step => this.#saw(step))
  readonly #parts: DataSpansParts
  readonly #open = new Map<string, Span>()

  constructor(parts: DataSpansParts) {
    this.#parts = parts
  }

  begin({ source, datum, available, parent }: AdmittedDatum): TraceContext | undefined {
    const { chance, share, tracer, device } = this.#parts
    if (parent === undefined ? chance() >= share : !parent.isSampled) return undefined
    const span = tracer.startSpan(
      source.split('@')[0]!,
      {
        startTime: this.#date(available),
        kind: parent === undefined ? SpanKind.INTERNAL : SpanKind.SERVER,
        attributes: { 'tributary.source': source, 'tributary.datum': datum, 'tributary.device': device }
      },
      parent === undefined ? ROOT_CONTEXT : inside(parent)
    )
    if (!span.isRecording()) return undefined
    this.#keep(keyOf({ source, datum }), span)
    const { traceId, spanId } = span.spanContext()
    return { traceId, spanId }
  }

  resent({ attempt, ...of }: { readonly source: string; readonly datum: number; readonly attempt: number }): void {
    this.#open
      .get(keyOf(of))
      ?.setAttribute('tributary.attempts', attempt)
      .addEvent('sent again', { 'tributary.attempt': attempt }, this.#date(this.#parts.clock.now()))
  }

  refused({ model, since, parent, code, because }: RefusedRequest): void {
    if (!parent.isSampled) return
    const { tracer, device, clock } = this.#parts
    const attributes = { 'tributary.device': device, 'tributary.model': model, 'error.type': code }
    const options = { startTime: this.#date(since), kind: SpanKind.SERVER, attributes }
    tracer
      .startSpan('no answer', options, inside(parent))
      .setStatus({ code: SpanStatusCode.ERROR, message: because })
      .end(this.#date(clock.now()))
  }

  #saw(step: DatumStep): void {
    const { trace: of } = step
    if (of === undefined) return
    const { tracer, device, clock } = this.#parts
    for (const { name, start, end, attributes } of partsOf(step, clock.now())) {
      const all = { ...attributes, 'tributary.device': device }
      tracer.startSpan(name, { startTime: this.#date(start), attributes: all }, inside(of)).end(this.#date(end))
    }
    if (step.did === 'ended') this.#end(step)
  }

  #end(step: Extract<DatumStep, { did: 'ended' }>): void {
    const key = keyOf(step)
    const span = this.#open.get(key)
    if (span === undefined) return
    this.#open.delete(key)
    span.setAttribute('tributary.outcome', step.outcome)
    if (step.outcome === 'dropped') span.setStatus({ code: SpanStatusCode.ERROR, message: step.reason })
    if (step.outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR })
    span.end(this.#date(this.#parts.clock.now()))
  }

  /** Milliseconds since 1970, of an instant of the device's clock. */
  #date(instant: number): number {
    const { clock, wallTime } = this.#parts
    return 1000 * (wallTime() - clock.now() + instant)
  }

  #keep(key: string, span: Span): void {
    this.#open.set(key, span)
    if (this.#open.size <= MOST_OPEN) return
    const [oldest] = this.#open.keys()
    this.#open.delete(oldest!)
  }
}

/** @param now a result has been written by then */
const partsOf = (step: DatumStep, now: number): readonly Part[] => {
  switch (step.did) {
    case 'admitted':
      return waited('wait for the window', step.available, step.at)
    case 'ran': {
      const { block, model, ready, start, end } = step
      const attributes = { 'tributary.model': model, 'tributary.block': block }
      return [...waited(`wait for block ${block}`, ready, start), { name: `block ${block}`, start, end, attributes }]
    }
    case 'sent': {
      const { to, activation, bytes, ready, start, end } = step
      const attributes = { 'tributary.to': to, 'tributary.activation': activation, 'tributary.bytes': bytes }
      return [
        ...waited(`wait for the link to ${to}`, ready, start),
        { name: `send ${activation} to ${to}`, start, end, attributes }
      ]
    }
    case 'ended':
      return step.outcome === 'result' ? [{ name: 'write the result', start: step.at, end: now }] : []
    default:
      return step satisfies never
  }
}

const waited = (name: string, start: number, end: number): readonly Part[] =>
  end - start < WAITED ? [] : [{ name, start, end }]

const keyOf = ({ source, datum }: Pick<DatumStep, 'source' | 'datum'>): string => `${source} ${datum}`

const inside = ({ traceId, spanId }: TraceContext) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true })
