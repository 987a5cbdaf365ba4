import { formatEpoch } from '../../../core/epoch.ts'
import type { PlanFacts } from '../../plans/plan-facts.ts'
import { Table } from '../table.tsx'
import { ageText, bytesText, perSecondText, rangesText } from '../words.ts'

type Entry = PlanFacts['history'][number]

/** The placements that this node saw, what each moved, and what it brought. */
export const History = ({ history }: { readonly history: readonly Entry[] }) => {
  const heads = ['Placement', 'Why', 'What moved', 'Reckoned', 'Results/s']
  return (
    <Table kind="stacks" caption="Placements so far" heads={heads}>
      {history.map(entry => (
        <tr key={`${entry.epoch} ${entry.planner}`}>
          <th scope="row">
            {formatEpoch(entry.epoch)}
            <small>
              {ageText(entry.age)} ago, by {entry.planner}
            </small>
          </th>
          <td data-head="Why">{whyOf(entry)}</td>
          <td data-head="What moved">
            <Moves entry={entry} />
          </td>
          <td class="number" data-head="Reckoned">
            {foreseenOf(entry)}
          </td>
          <td class="number" data-head="Results/s">
            {perSecondText(entry.rateBefore)} before
            {entry.rateAfter !== null && <small>{perSecondText(entry.rateAfter)} after it</small>}
          </td>
        </tr>
      ))}
    </Table>
  )
}

const whyOf = ({ came, left, moves }: Entry): string => {
  const changes = [
    ...(came.length > 0 ? [`${came.join(', ')} came`] : []),
    ...(left.length > 0 ? [`${left.join(', ')} left`] : [])
  ]
  if (changes.length > 0) return changes.join('; ')
  return moves === null ? 'the first that this node saw' : 'models, sources, or what was measured had changed'
}

const Moves = ({ entry: { moves } }: { readonly entry: Entry }) => {
  if (moves === null) return <>–</>
  if (moves.length === 0) return <>nothing</>
  const bytes = moves.reduce((sum, move) => sum + move.bytes, 0)
  return (
    <>
      {bytes === 0 ? 'nothing' : bytesText(bytes)} loaded
      {moves.map(({ device, model, loads, drops }) => (
        <small key={`${device} ${model}`}>
          {device}, {model}: {loads.length > 0 && `loads ${rangesText(loads)}`}
          {loads.length > 0 && drops.length > 0 && ', '}
          {drops.length > 0 && `drops ${rangesText(drops)}`}
        </small>
      ))}
    </>
  )
}

/** The scales are times of all demands: what one is to the other is what people want to know. */
const foreseenOf = ({ foreseen }: Entry) => {
  if (foreseen === null) return '–'
  const { before, best, most } = foreseen
  return (
    <>
      {before === null ? 'not all blocks were there' : gainWords(best / before)}
      <small>
        {most > best * 1.005
          ? `at most ${Math.round(100 * (1 - best / most))} % below the best there can be`
          : 'none is better'}
      </small>
    </>
  )
}

const gainWords = (times: number): string => {
  if (times >= 3) return `${Math.round(times)} times as much as before`
  return times >= 1.005 ? `${Math.round(100 * (times - 1))} % more than before` : 'as much as before'
}
