import { useState } from 'preact/hooks'
import { dropWords } from '../../core/drop-reason.ts'
import type { ShownResult, Thing } from '../shown-result.ts'
import type { ClusterState, SourceFacts } from './cluster-state.ts'
import { Table } from './table.tsx'
import { type ShownPicture, usePicture } from './use-picture.ts'
import { useResults } from './use-results.ts'
import type { ViewProps } from './views.tsx'
import { clockText, timeText } from './words.ts'

/** The latest data of this node's sources: what they were and what came of them. */
export const ResultsView = ({ state }: ViewProps) => {
  const results = useResults()
  const own = state.sources.filter(({ device, isAsked }) => device === state.answeredBy && !isAsked)
  return (
    <>
      <Elsewhere state={state} />
      {own.map(source => (
        <SourceResults
          key={source.name}
          source={source}
          results={results?.get(`${source.name}@${source.device}`)}
          hasAnswered={results !== undefined}
        />
      ))}
    </>
  )
}

/** Data stay where they were born. */
const Elsewhere = ({ state }: { readonly state: ClusterState }) => {
  const others = state.sources.filter(({ device, isAsked }) => device !== state.answeredBy && !isAsked)
  const asked = state.sources.filter(({ isAsked }) => isAsked)
  if (state.sources.length === 0) return <p class="empty">No device has a source, so that there are no results.</p>
  return (
    <>
      {others.length > 0 && (
        <p class="note">
          Data are shown by the device that they were born on:{' '}
          {others.map(({ name, device }) => `${name} by ${device}`).join(', ')}. Open its dashboard to see them.
        </p>
      )}
      {asked.length > 0 && (
        <p class="note">
          What other programs ask ({asked.map(({ name }) => name).join(', ')}) is theirs, and not shown.
        </p>
      )}
    </>
  )
}

interface SourceResultsProps {
  readonly source: SourceFacts
  readonly results: readonly ShownResult[] | undefined
  readonly hasAnswered: boolean
}

const SourceResults = ({ source, results = [], hasAnswered }: SourceResultsProps) => {
  const [pinned, setPinned] = useState<number>()
  const shown = results.find(({ number }) => number === pinned) ?? results.at(-1)
  const picture = usePicture(shown)
  return (
    <section class="results" aria-label={`Results of ${source.name}`}>
      <h3>
        {source.name} <small class="beside">{source.model}</small>
      </h3>
      <p class="note">{countsText(source)}</p>
      {shown === undefined && hasAnswered && <p class="empty">Nothing of it is done since this node was started.</p>}
      {shown !== undefined && (
        <div class="columns">
          <Datum result={shown} picture={picture} />
          <Latest
            results={results}
            shown={shown.number === pinned ? shown : (picture?.of ?? shown)}
            isPinned={shown.number === pinned}
            pin={setPinned}
          />
        </div>
      )}
    </section>
  )
}

const countsText = ({ completed, failed, dropped, droppedBy, inFlight }: SourceFacts): string => {
  const reasons = Object.entries(droppedBy).map(([reason, count]) => `${count} since ${dropWords(reason)}`)
  const why = reasons.length > 0 ? ` (${reasons.join(', ')})` : ''
  return `${completed} done, ${failed} failed, ${dropped} dropped${why}, ${inFlight} in flight`
}

/** One of them, large. A picture is shown with what was seen in it, never with what was seen in another. */
const Datum = ({ result, picture }: { readonly result: ShownResult; readonly picture: ShownPicture | undefined }) => {
  const of = picture?.of ?? result
  return (
    <figure class="datum">
      {picture !== undefined && <Picture picture={picture} />}
      <figcaption>
        <Answer result={of} />
        <small>
          {of.item}, datum {of.datum}
          {of.at !== null && `, ${clockText(of.at)}`}
          {of.inferenceTime !== null && `, in ${timeText(of.inferenceTime)}`}
        </small>
      </figcaption>
    </figure>
  )
}

const Picture = ({ picture: { url, width, height, of } }: { readonly picture: ShownPicture }) => {
  const boxes = of.things.filter(hasBox)
  return (
    <div class="picture">
      <img src={url} alt={`${of.item}: ${inShort(of)}`} />
      {boxes.map(({ box: [left, top, right, bottom], label, score }, i) => (
        <span
          key={i}
          class="box"
          aria-hidden="true"
          style={{
            left: `${(100 * left) / width}%`,
            top: `${(100 * top) / height}%`,
            width: `${(100 * (right - left)) / width}%`,
            height: `${(100 * (bottom - top)) / height}%`
          }}
        >
          <b>
            {label} {percent(score)}
          </b>
        </span>
      ))}
    </div>
  )
}

const hasBox = (thing: Thing): thing is Thing & Required<Pick<Thing, 'box'>> => thing.box !== undefined

const Answer = ({ result }: { readonly result: ShownResult }) => {
  if (result.outcome !== 'result')
    return (
      <p class="wrong">
        {result.outcome}: {result.because}
      </p>
    )
  if (result.answer !== '') return <p class="answer">{result.answer}</p>
  if (result.things.length === 0) return <p class="answer">nothing seen</p>
  return (
    <ul class="things">
      {result.things.slice(0, 8).map(({ label, score }, i) => (
        <li key={i}>
          {label} <span class="number">{percent(score)}</span>
        </li>
      ))}
    </ul>
  )
}

interface LatestProps {
  readonly results: readonly ShownResult[]
  readonly shown: ShownResult
  readonly isPinned: boolean
  readonly pin: (number: number | undefined) => void
}

const Latest = ({ results, shown, isPinned, pin }: LatestProps) => (
  <div>
    <Table caption={`The latest data of ${shown.source}`} heads={['Datum', 'Answer', 'Inference time']}>
      {[...results].reverse().map(result => (
        <tr key={result.number} class={result.number === shown.number ? 'chosen' : ''}>
          <th scope="row">
            <button
              type="button"
              class="plain"
              aria-pressed={isPinned && result.number === shown.number}
              onClick={() => pin(isPinned && result.number === shown.number ? undefined : result.number)}
            >
              {result.datum}
            </button>
          </th>
          <td class={result.outcome === 'result' ? 'short' : 'short wrong'}>{inShort(result)}</td>
          <td class="number">{timeText(result.inferenceTime)}</td>
        </tr>
      ))}
    </Table>
    <p class="note">
      {isPinned ? (
        <button type="button" class="plain" onClick={() => pin(undefined)}>
          Show the latest again
        </button>
      ) : (
        'The latest is shown; choose a number to look at that one.'
      )}
    </p>
  </div>
)

const percent = (share: number): string => `${Math.round(100 * share)} %`

const MOST_CHARACTERS = 80

const inShort = ({ outcome, because, answer, things }: ShownResult): string => {
  const things3 = things.slice(0, 3).map(({ label, score }) => `${label} ${percent(score)}`)
  const more = things.length > 3 ? `, ${things.length - 3} more` : ''
  const text = outcome !== 'result' ? `${outcome}: ${because}` : answer || things3.join(', ') + more || 'nothing seen'
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text
}
