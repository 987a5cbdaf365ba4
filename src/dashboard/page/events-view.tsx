import { useState } from 'preact/hooks'
import type { RecentLine } from '../recent-lines.ts'
import type { ClusterState } from './cluster-state.ts'
import { Health } from './health.tsx'
import type { ViewProps } from './views.tsx'
import { clockText } from './words.ts'

const KINDS: Readonly<Record<string, string>> = {
  error: 'errors',
  warn: 'warnings',
  joined: 'devices that came',
  left: 'devices that went',
  refused: 'refusals',
  setAside: 'faults of a device',
  blocks: 'blocks that moved',
  info: 'all else'
}

/** A line may be of two: a loss is a warning too. */
const kindsOf = ({ kind, level }: RecentLine): readonly string[] =>
  level === 'info' ? [kind ?? 'info'] : kind === undefined ? [level] : [level, kind]

/** What is wrong, and what has happened. */
export const EventsView = ({ state }: ViewProps) => {
  const [kind, setKind] = useState('')
  const [device, setDevice] = useState('')
  const { lines, answeredBy } = state
  const shown = lines.filter(
    line => (kind === '' || kindsOf(line).includes(kind)) && (device === '' || (line.device ?? answeredBy) === device)
  )
  return (
    <>
      <h3>Health</h3>
      <Health state={state} />
      <h3>Events</h3>
      <p class="note">From the log of {answeredBy}, the latest first. Other devices have logs of their own.</p>
      {lines.length > 0 && <Filters {...{ state, kind, setKind, device, setDevice }} />}
      {shown.length === 0 ? <p class="empty">Nothing of that kind has happened.</p> : <Lines lines={shown} />}
    </>
  )
}

interface FiltersProps {
  readonly state: ClusterState
  readonly kind: string
  readonly setKind: (kind: string) => void
  readonly device: string
  readonly setDevice: (device: string) => void
}

const Filters = ({ state: { lines, answeredBy }, kind, setKind, device, setDevice }: FiltersProps) => {
  const counts = new Map<string, number>()
  for (const line of lines) for (const one of kindsOf(line)) counts.set(one, (counts.get(one) ?? 0) + 1)
  const devices = [...new Set([answeredBy, ...lines.flatMap(line => line.device ?? [])])].sort()
  return (
    <div class="tools">
      <label>
        Show{' '}
        <select value={kind} onChange={event => setKind(event.currentTarget.value)}>
          <option value="">everything</option>
          {Object.entries(KINDS).map(([one, words]) =>
            counts.has(one) ? (
              <option key={one} value={one}>
                {words} ({counts.get(one)})
              </option>
            ) : null
          )}
        </select>
      </label>
      {devices.length > 1 && (
        <label>
          about{' '}
          <select value={device} onChange={event => setDevice(event.currentTarget.value)}>
            <option value="">all devices</option>
            {devices.map(name => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  )
}

const Lines = ({ lines }: { readonly lines: readonly RecentLine[] }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved by the arrows
  <ol class="events" aria-live="polite" aria-label="Events" tabIndex={0}>
    {[...lines].reverse().map(({ number, time, level, text }) => (
      <li key={number} class={level}>
        <time>{clockText(time)}</time>
        {level !== 'info' && <strong>{level}</strong>}
        <span>{text}</span>
      </li>
    ))}
  </ol>
)
