import type { TopLevelSpec } from 'vega-lite'

/** Okabe and Ito, 2008, without yellow, which is lost on white, and two more: told apart by readers who see colours differently. */
export const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#808080', '#882255'] as const
/** Of words and lines on paper; a page in dark colours shows it light. */
export const INK = '#222222'
/** Of words on a light colour, whatever the page. */
export const ON_LIGHT = '#111111'

/** The same look for every figure. Marks carry no words for screen readers: the page gives each figure its caption. */
export const CONFIG: NonNullable<TopLevelSpec['config']> = {
  background: 'white',
  padding: 8,
  font: 'sans-serif',
  aria: false,
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelAngle: 0,
    labelLimit: 220,
    labelColor: INK,
    titleColor: INK,
    gridColor: '#e5e5e5',
    tickColor: '#999999'
  },
  header: { labelFontSize: 13, labelFontWeight: 'bold', labelColor: INK, labelLimit: 400, title: null },
  title: { fontSize: 13, anchor: 'start', color: INK, offset: 8 },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelLimit: 220,
    labelColor: INK,
    titleColor: INK
  },
  view: { stroke: '#cccccc' },
  range: { category: [...COLOURS] }
}
