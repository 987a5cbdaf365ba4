import { useMemo, useState } from 'preact/hooks'
import { datumKey } from '../view/datum-key.ts'
import { type DatumPath, datumPath } from '../view/datum-path.ts'
import { stepsByDatum } from '../view/steps-by-datum.ts'
import { stepsTrace } from '../view/steps-trace.ts'
import { timelineRows } from '../view/timeline-rows.ts'
import type { ClusterState } from './cluster-state.ts'
import { saveFile } from './save-file.ts'
import { Table } from './table.tsx'
import { Timeline } from './timeline.tsx'
import { SPAN, type Steps, useSteps } from './use-steps.ts'
import type { ViewProps } from './views.tsx'
import { momentText, timeText } from './words.ts'

const SPANS = [2, 10, SPAN]
/** What is told in this time is drawn when it is all there. */
const DELAY = 1.6
/** Dark enough for white letters. */
const COLOURS = ['#2f6fb7', '#b1520f', '#2f7d4f', '#8a4f9e', '#b23a48', '#28777f', '#7a5c33', '#5a5fb0']
const LISTED = 10

/** What ran where in the last half minute, and the way of one datum. */
export const TimelinesView = ({ state }: ViewProps) => {
  const [pausedAt, setPausedAt] = useState<number>()
  const [span, setSpan] = useState(10)
  const [chosen, setChosen] = useState<DatumPath>()
  const steps = useSteps(pausedAt !== undefined)
  if (steps === undefined) return <p class="empty">Asking the devices what they did …</p>
  const until = (): number => pausedAt ?? performance.now() / 1000 + steps.ahead - DELAY
  const togglePause = (): void => setPausedAt(pausedAt === undefined ? until() : undefined)
  return (
    <Shown
      {...{ state, steps, span, setSpan, chosen, until, togglePause }}
      isPaused={pausedAt !== undefined}
      follow={path => {
        setPausedAt(path === undefined ? undefined : until())
        setChosen(path)
      }}
    />
  )
}

interface ShownProps {
  readonly state: ClusterState
  readonly steps: Steps
  readonly span: number
  readonly setSpan: (span: number) => void
  readonly chosen: DatumPath | undefined
  readonly follow: (path: DatumPath | undefined) => void
  readonly until: () => number
  readonly isPaused: boolean
  readonly togglePause: () => void
}

const Shown = ({ state, steps, span, setSpan, chosen, follow, until, isPaused, togglePause }: ShownProps) => {
  const names = new Map(steps.devices.map(({ id, name }) => [id, name]))
  const nameOf = (id: string): string => names.get(id) ?? id.slice(-8)
  const rows = useMemo(
    () =>
      timelineRows(
        [...steps.devices].sort((a, b) => (a.name < b.name ? -1 : 1)),
        steps.steps
      ),
    [steps]
  )
  const data = useMemo(() => stepsByDatum(steps.steps), [steps])
  const colours = coloursOf(state)
  return (
    <>
      <div class="tools">
        <button type="button" aria-pressed={isPaused} onClick={togglePause}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
        <label>
          Seconds{' '}
          <select value={span} onChange={event => setSpan(Number(event.currentTarget.value))}>
            {SPANS.map(seconds => (
              <option key={seconds} value={seconds}>
                {seconds}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          class="quiet"
          onClick={() => saveFile('tributary-trace.json', JSON.stringify(stepsTrace(steps.steps, nameOf)))}
        >
          Save for Perfetto
        </button>
        <ul class="legend" aria-label="Colours of the sources">
          {[...colours].map(([source, colour]) => (
            <li key={source}>
              <span style={{ background: colour }} />
              {source}
            </li>
          ))}
        </ul>
      </div>
      <Timeline
        {...{ rows, span, colours, until, isPaused }}
        chosen={chosen && datumKey(chosen)}
        choose={key => follow(datumPath(data.get(key)!, nameOf))}
      />
      <Caveats steps={steps} />
      <div class="columns">
        <Ended paths={endedPaths(data, nameOf)} chosen={chosen} follow={follow} />
        {chosen !== undefined && <Path path={chosen} />}
      </div>
    </>
  )
}

const coloursOf = ({ sources }: ClusterState): ReadonlyMap<string, string> =>
  new Map(sources.map(({ name, device }, i) => [`${name}@${device}`, COLOURS[i % COLOURS.length]!]))

/** How well it is known. */
const Caveats = ({ steps: { devices, every } }: { readonly steps: Steps }) => {
  const within = Math.max(0, ...devices.map(device => device.within))
  const missed = devices.reduce((sum, device) => sum + device.missed, 0)
  return (
    <p class="note">
      {within > 0 &&
        `Devices have clocks of their own: what another one did is placed right within ${timeText(within)}. `}
      {every > 1 && `There are many data: of each source every ${every}th is followed, the others are not drawn. `}
      {missed > 0 && `${missed} steps came too fast to be told. `}
      {devices.flatMap(({ name, because }) => (because === '' ? [] : [`${name} has told nothing: ${because}. `]))}
    </p>
  )
}

/** Those that were seen from their beginning to their end, the latest first. */
const endedPaths = (data: ReturnType<typeof stepsByDatum>, nameOf: (id: string) => string): readonly DatumPath[] =>
  [...data.values()]
    .filter(steps => steps.some(({ did }) => did === 'ended') && steps.some(({ did }) => did === 'admitted'))
    .map(steps => datumPath(steps, nameOf))
    .sort((a, b) => b.ended! - a.ended!)

interface EndedProps {
  readonly paths: readonly DatumPath[]
  readonly chosen: DatumPath | undefined
  readonly follow: (path: DatumPath | undefined) => void
}

const Ended = ({ paths, chosen, follow }: EndedProps) => {
  if (paths.length === 0) return <p class="empty">No datum has come home in the last {SPAN} seconds.</p>
  const sum = (did: keyof DatumPath['sums']): number => paths.reduce((sum, path) => sum + path.sums[did], 0)
  const whole = sum('waited') + sum('computed') + sum('travelled') || 1
  const share = (did: keyof DatumPath['sums']): string => `${Math.round((100 * sum(did)) / whole)} %`
  return (
    <section>
      <h3>Where the time goes</h3>
      <p>
        Of {paths.length} data of the last {SPAN} seconds: waited {share('waited')}, computed {share('computed')},
        travelled {share('travelled')}.
      </p>
      <Table caption="Data that came home last" heads={['Datum', 'Waited', 'Computed', 'Travelled', 'In all']}>
        {paths.slice(0, LISTED).map(path => {
          const isChosen = chosen !== undefined && datumKey(chosen) === datumKey(path)
          return (
            <tr key={datumKey(path)} class={isChosen ? 'chosen' : ''}>
              <th scope="row">
                <button
                  type="button"
                  class="plain"
                  aria-pressed={isChosen}
                  onClick={() => follow(isChosen ? undefined : path)}
                >
                  {path.source.split('@')[0]} {path.datum}
                </button>
                {path.outcome !== 'result' && <small>{path.outcome}</small>}
              </th>
              <td class="number">{timeText(path.sums.waited)}</td>
              <td class="number">{timeText(path.sums.computed)}</td>
              <td class="number">{timeText(path.sums.travelled)}</td>
              <td class="number">{timeText(path.ended! - path.begun!)}</td>
            </tr>
          )
        })}
      </Table>
    </section>
  )
}

const Path = ({ path }: { readonly path: DatumPath }) => {
  const zero = path.begun ?? path.parts[0]?.start ?? 0
  return (
    <section>
      <h3>
        The way of datum {path.datum} of {path.source}: {path.outcome}
      </h3>
      <Table caption="The way of a datum" heads={['At', 'Did', 'Where', 'For']}>
        {path.parts.map(({ did, where, what, start, end }, i) => (
          <tr key={i}>
            <td class="number">{momentText(Math.max(0, start - zero))}</td>
            <th scope="row">
              {did}
              {what !== '' && <small>{what}</small>}
            </th>
            <td>{where}</td>
            <td class="number">{timeText(Math.max(0, end - start))}</td>
          </tr>
        ))}
      </Table>
    </section>
  )
}
