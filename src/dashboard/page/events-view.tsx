import type { ViewProps } from './views.tsx'
import { clockText } from './words.ts'

export const EventsView = ({ state }: ViewProps) => {
  if (state.lines.length === 0) return <p class="empty">Nothing has happened yet.</p>
  return (
    <>
      <p class="note">What {state.answeredBy}, the device that serves this page, has to say; the latest first.</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved by the arrows */}
      <ol class="events" aria-live="polite" aria-label="Events" tabIndex={0}>
        {[...state.lines].reverse().map(({ number, time, level, text }) => (
          <li key={number} class={level}>
            <time>{clockText(time)}</time>
            {level !== 'info' && <strong>{level}</strong>}
            <span>{text}</span>
          </li>
        ))}
      </ol>
    </>
  )
}
