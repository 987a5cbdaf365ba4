import type { Bar, Row } from '../view/timeline-rows.ts'

export const ROW_HEIGHT = 22
export const AXIS_HEIGHT = 20

export interface Drawn {
  readonly rows: readonly Row[]
  /** Seconds; the right edge. */
  readonly until: number
  readonly span: number
  readonly colours: ReadonlyMap<string, string>
  /** Of the datum that is followed. */
  readonly chosen: string | undefined
  /** Pixels that are scrolled away. */
  readonly scrolled: number
}

interface Place {
  readonly width: number
  readonly height: number
  /** Where time begins. */
  readonly left: number
}

const placeOf = (canvas: HTMLCanvasElement): Place => {
  const { clientWidth: width, clientHeight: height } = canvas
  return { width, height, left: width < 600 ? 92 : 150 }
}

/** All that is seen of it now. */
export const drawTimeline = (canvas: HTMLCanvasElement, drawn: Drawn): void => {
  const place = placeOf(canvas)
  const context = fitted(canvas, place)
  const style = getComputedStyle(canvas)
  const ink = (name: string): string => style.getPropertyValue(`--${name}`)
  context.font = `12px ${style.fontFamily}`
  context.textBaseline = 'middle'
  const { rows, scrolled } = drawn
  const first = Math.floor(scrolled / ROW_HEIGHT)
  const last = Math.min(rows.length, Math.ceil((scrolled + place.height) / ROW_HEIGHT))
  for (let i = first; i < last; i++)
    drawRow(context, rows[i]!, AXIS_HEIGHT + i * ROW_HEIGHT - scrolled, place, drawn, ink)
  drawAxis(context, place, drawn, ink)
}

/** Sharp on dense screens, and empty. */
const fitted = (canvas: HTMLCanvasElement, { width, height }: Place): CanvasRenderingContext2D => {
  const scale = devicePixelRatio
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)]
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h })
  const context = canvas.getContext('2d')!
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  return context
}

type Ink = (name: string) => string

const drawRow = (
  context: CanvasRenderingContext2D,
  { kind, name, bars }: Row,
  top: number,
  place: Place,
  drawn: Drawn,
  ink: Ink
): void => {
  const { width, left } = place
  const { until, span, colours, chosen } = drawn
  const isLane = kind === 'lane'
  if (isLane) {
    context.fillStyle = ink('line')
    context.fillRect(0, top, width, 1)
  }
  const x = (time: number): number => left + ((time - (until - span)) / span) * (width - left)
  const [from, height] = isLane ? [top + 3, ROW_HEIGHT - 5] : [top + 7, ROW_HEIGHT - 13]
  context.textAlign = 'center'
  for (let i = firstAfter(bars, until - span); i < bars.length && bars[i]!.start < until; i++) {
    const bar = bars[i]!
    const [begin, end] = [Math.max(left, x(bar.start)), Math.min(width, x(bar.end))]
    if (end < left) continue
    context.globalAlpha = chosen === undefined || chosen === bar.key ? (isLane ? 1 : 0.75) : 0.2
    context.fillStyle = colours.get(bar.source) ?? '#888888'
    context.fillRect(begin, from, Math.max(1, end - begin - 0.5), height)
    if (chosen === bar.key) {
      context.strokeStyle = ink('ink')
      context.lineWidth = 1.5
      context.strokeRect(begin, from, Math.max(1, end - begin), height)
    }
    if (bar.label === '' || end - begin < 14) continue
    context.fillStyle = '#ffffff'
    context.fillText(bar.label, (begin + end) / 2, from + height / 2 + 0.5)
  }
  context.globalAlpha = 1
  context.textAlign = 'left'
  context.fillStyle = ink(isLane ? 'ink' : 'soft')
  context.fillText(isLane ? name : `   → ${name}`, 6, top + ROW_HEIGHT / 2, left - 12)
}

/** Those before began so long ago that they are over: none takes longer than all that is remembered. */
const firstAfter = (bars: readonly Bar[], time: number): number => {
  let [low, high] = [0, bars.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (bars[middle]!.start < time) low = middle + 1
    else high = middle
  }
  // A row has one at a time, or a batch; a link a few: what reaches into what is seen is among the last before it.
  return Math.max(0, low - 8)
}

const drawAxis = (
  context: CanvasRenderingContext2D,
  { width, height, left }: Place,
  { span }: Drawn,
  ink: Ink
): void => {
  context.fillStyle = ink('paper')
  context.fillRect(0, 0, width, AXIS_HEIGHT)
  const parts = width < 600 ? 2 : 5
  for (let i = 0; i <= parts; i++) {
    const at = left + ((width - left) * i) / parts
    context.fillStyle = ink('line')
    context.fillRect(Math.min(at, width - 1), AXIS_HEIGHT - 4, 1, height)
    context.fillStyle = ink('soft')
    context.textAlign = i === parts ? 'right' : i === 0 ? 'left' : 'center'
    context.fillText(i === parts ? 'now ' : `−${span - (span * i) / parts} s`, at, AXIS_HEIGHT / 2 - 1)
  }
}

/** What is at a place of the canvas, in pixels. */
export const barAt = (canvas: HTMLCanvasElement, drawn: Drawn, x: number, y: number): Bar | undefined => {
  const { width, left } = placeOf(canvas)
  const row = y < AXIS_HEIGHT ? undefined : drawn.rows[Math.floor((y - AXIS_HEIGHT + drawn.scrolled) / ROW_HEIGHT)]
  const perPixel = drawn.span / (width - left)
  const time = drawn.until - drawn.span + (x - left) * perPixel
  // Narrow ones are hit from beside.
  return row?.bars.findLast(({ start, end }) => start - 2 * perPixel <= time && time <= end + 2 * perPixel)
}
