/** The colours of the dashboard's page (src/dashboard/page/page.css), light and dark. */
export const PALETTE = {
  light: {
    ground: '#f6f7f9',
    paper: '#ffffff',
    ink: '#17202a',
    soft: '#55606e',
    line: '#d8dde3',
    blue: '#1b62c4',
    'blue-soft': '#dbe8fa'
  },
  dark: {
    ground: '#12161b',
    paper: '#1a2027',
    ink: '#e8ecf1',
    soft: '#a4afbc',
    line: '#343d48',
    blue: '#7db4ff',
    'blue-soft': '#1f3350'
  }
} as const

const variables = (colours: Readonly<Record<string, string>>): string =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}: ${colour}`)
    .join('; ')

/** Figures are drawn for paper; on the page their ink and lines are those of the theme. What lies on a colour of its own stays. */
const FIGURES = `
  svg { display: block; width: auto; max-width: 100%; min-width: min(34rem, var(--drawn)); height: auto }
  svg > rect[fill="white"] { fill: none }
  svg [fill="#222222"] { fill: var(--ink) } svg [stroke="#222222"] { stroke: var(--ink) }
  svg [stroke="white"] { stroke: var(--paper) }
  svg [stroke="#e5e5e5"], svg [stroke="#cccccc"] { stroke: var(--line) } svg [stroke="#999999"] { stroke: var(--soft) }`

export const PAGE_STYLE = `
  :root { color-scheme: light dark; ${variables(PALETTE.light)} }
  @media (prefers-color-scheme: dark) { :root { ${variables(PALETTE.dark)} } }
  * { box-sizing: border-box }
  body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; margin: 0; color: var(--ink); background: var(--ground) }
  main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 3rem }
  h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0 } h2 { font-size: 1.1rem; margin: 0 0 .5rem } .wide + h2 { margin-top: 1.5rem }
  .lead { font-size: clamp(1.2rem, 4.5vw, 1.5rem); line-height: 1.3; font-weight: 600; margin: .25rem 0 .75rem; max-width: 46rem; text-wrap: balance }
  .more { margin: 0 0 1rem; padding-left: 1.1rem; max-width: 46rem } .more li { margin: .2rem 0 }
  .quiet, figcaption { color: var(--soft); max-width: 46rem } .quiet { margin: .25rem 0 }
  section, details { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0 }
  summary { cursor: pointer; font-weight: 600 } details[open] summary { margin-bottom: .75rem }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
  td, th { padding: .25rem .6rem; text-align: right; white-space: nowrap } th { color: var(--soft); font-weight: 500 }
  tr:has(> :first-child:not(:empty)) > * { border-top: 1px solid var(--line) } thead tr > * { border-top: 0 !important }
  .name { text-align: left } .why { white-space: normal; color: var(--soft) }
  figure { margin: 0 } .wide { overflow-x: auto } figcaption { margin-top: .5rem }
  code { background: var(--blue-soft); padding: .1rem .3rem; border-radius: 3px; overflow-wrap: anywhere }${FIGURES}`
