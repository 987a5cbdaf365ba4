import { useEffect, useRef, useState } from 'preact/hooks'
import type { Bar, Row } from '../view/timeline-rows.ts'
import { AXIS_HEIGHT, barAt, type Drawn, drawTimeline, ROW_HEIGHT } from './draw-timeline.ts'

export interface TimelineProps {
  readonly rows: readonly Row[]
  readonly span: number
  readonly colours: ReadonlyMap<string, string>
  readonly chosen: string | undefined
  readonly choose: (key: string) => void
  /** The right edge now, in seconds. */
  readonly until: () => number
  readonly isPaused: boolean
}

/** Rows over time, on a canvas: thousands of bars move with it. Its words are in the tables beside it. */
export const Timeline = (props: TimelineProps) => {
  const canvas = useRef<HTMLCanvasElement>(null)
  const box = useRef<HTMLElement>(null)
  const latest = useRef(props)
  latest.current = props
  const [pointed, setPointed] = useState<Bar>()
  const drawn = (): Drawn => ({
    ...latest.current,
    until: latest.current.until(),
    scrolled: box.current!.scrollTop
  })
  const isStill = props.isPaused || matchMedia('(prefers-reduced-motion: reduce)').matches
  useEffect(() => {
    if (isStill) return
    let frame = requestAnimationFrame(function next() {
      // A frame that was asked for may come once the view has been left.
      if (canvas.current === null || box.current === null) return
      drawTimeline(canvas.current, drawn())
      frame = requestAnimationFrame(next)
    })
    return () => cancelAnimationFrame(frame)
  }, [isStill])
  useEffect(() => {
    if (isStill) drawTimeline(canvas.current!, drawn())
  })
  const under = (event: MouseEvent): Bar | undefined => barAt(canvas.current!, drawn(), event.offsetX, event.offsetY)
  const height = AXIS_HEIGHT + props.rows.length * ROW_HEIGHT
  return (
    <>
      <section
        ref={box}
        class="timeline"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved by the arrows
        tabIndex={0}
        aria-label="Lanes and links over time"
        style={{ height: `${height + 2}px` }}
        onScroll={() => drawTimeline(canvas.current!, drawn())}
      >
        <div style={{ height: `${height}px` }}>
          <canvas
            ref={canvas}
            role="img"
            aria-label={`What devices and links did in the last ${props.span} seconds; the tables say it in words`}
            onClick={event => {
              const bar = under(event)
              if (bar !== undefined) props.choose(bar.key)
            }}
            onMouseMove={event => setPointed(under(event))}
            onMouseLeave={() => setPointed(undefined)}
          />
        </div>
      </section>
      <p class="note pointed" aria-hidden="true">
        {pointed === undefined
          ? 'A number in a bar is its block; thin bars travel. Choose one to follow its datum.'
          : `${pointed.words}, ${(1000 * (pointed.end - pointed.start)).toPrecision(3)} ms`}
      </p>
    </>
  )
}
