import { formatEpoch } from '../../core/epoch.ts'
import { planningWords } from '../../runtime/device/planning-words.ts'
import type { PlanFacts } from '../plans/plan-facts.ts'
import { totalRate } from '../view/served-words.ts'
import type { ClusterState } from './cluster-state.ts'
import { History } from './plans/history.tsx'
import { usePlan } from './plans/use-plan.ts'
import { WhatIf } from './plans/what-if.tsx'
import { Table } from './table.tsx'
import type { ViewProps } from './views.tsx'
import { ageText, bytesText, perSecondText, timeText } from './words.ts'

/** Which device carries which blocks, since when and why; what would be if; what earlier placements brought. */
export const PlacementView = ({ state }: ViewProps) => {
  const facts = usePlan()
  const { models, unplaced } = state.placement
  const names = Object.keys(models)
  const [underWay] = planningWords(state.devices)
  if (names.length === 0)
    return <p class="empty">Nothing is placed yet{underWay === undefined ? '' : `: ${underWay}`}.</p>
  return (
    <>
      <Now state={state} facts={facts} />
      {names.map(model => (
        <Grid key={model} model={model} placed={models[model]!} bytes={facts?.blocks[model] ?? []} />
      ))}
      {unplaced.map(({ model, block, because }) => (
        <p key={`${model} ${block}`} class="wrong">
          Block {block} of {model}: {because}
        </p>
      ))}
      <Served facts={facts} state={state} />
      <h3>What if</h3>
      <WhatIf state={state} />
      {facts !== undefined && facts.history.length > 0 && (
        <>
          <h3>Placements so far</h3>
          <History history={facts.history} />
        </>
      )}
    </>
  )
}

interface PlannedProps {
  readonly state: ClusterState
  readonly facts: PlanFacts | undefined
}

const Now = ({ state, facts }: PlannedProps) => {
  const { epoch, ready } = state.placement
  const latest = facts?.history[0]
  return (
    <p class="note">
      Placement {formatEpoch(epoch)}
      {ready ? ', loaded everywhere' : ', being loaded'}; planned by {state.planner ?? 'nobody'}
      {latest !== undefined && latest.epoch === epoch && ` ${ageText(latest.age)} ago`}.
      {planningWords(state.devices).map(text => ` Now ${text}.`)}
    </p>
  )
}

/** By the planner, beside what is measured. */
const Served = ({ state, facts }: PlannedProps) => {
  const outlook = facts?.outlook
  if (outlook?.kind !== 'outlook' || outlook.carried.kind !== 'served') {
    const because = outlook?.kind === 'none' ? outlook.because : facts?.because
    return because === undefined || because === '' ? null : <p class="note">The planner: {because}.</p>
  }
  const { carried, planned } = outlook
  const best = planned.kind === 'served' ? totalRate(planned) : 0
  return (
    <>
      <h3>What it can serve</h3>
      <Table
        kind="stacks"
        caption="What the placement can serve"
        heads={['Source', 'Asks for', 'Can have', 'Has', 'Time alone']}
      >
        {carried.sources
          .filter(({ source }) => !isDone(state, source))
          .map(({ source, demand, rate, time }) => (
            <tr key={source}>
              <th scope="row">{source}</th>
              <td class="number" data-head="Asks for">
                {demand === 1 ? '–' : `${perSecondText(demand)}/s`}
              </td>
              <td class="number" data-head="Can have">
                {perSecondText(rate)}/s
              </td>
              <td class="number" data-head="Has">
                {perSecondText(measured(state, source))}/s
              </td>
              <td class="number" data-head="Time alone">
                {timeText(time)}
              </td>
            </tr>
          ))}
      </Table>
      <p class="note">
        {best > 1.02 * totalRate(carried)
          ? `The planner knows places that would serve ${perSecondText(best)} results/s together.`
          : 'The planner knows no places for these blocks that would serve more.'}
      </p>
    </>
  )
}

const isDone = ({ sources }: ClusterState, named: string): boolean =>
  sources.some(({ name, device, state }) => state === 'done' && `${name}@${device}` === named)

const measured = ({ sources }: ClusterState, named: string): number =>
  sources.find(({ name, device }) => `${name}@${device}` === named)?.rate ?? 0

interface GridProps {
  readonly model: string
  readonly placed: Readonly<Record<string, readonly number[]>>
  /** Of each block; empty where that is not known. */
  readonly bytes: readonly number[]
}

const Grid = ({ model, placed, bytes }: GridProps) => {
  const last = Math.max(...Object.values(placed).flat(), bytes.length - 1, 0)
  const blocks = Array.from({ length: last + 1 }, (_, block) => block)
  const sizeOf = (carried: readonly number[]): number => carried.reduce((sum, block) => sum + (bytes[block] ?? 0), 0)
  return (
    <Table kind="blocks" caption={`Blocks of ${model}`} heads={[model, ...blocks.map(String), 'Bytes']}>
      {Object.entries(placed).map(([device, carried]) => (
        <tr key={device}>
          <th scope="row">{device}</th>
          {blocks.map(block => (
            <td
              key={block}
              class={carried.includes(block) ? 'carried' : 'not'}
              title={bytes[block] === undefined ? undefined : `block ${block}: ${bytesText(bytes[block])}`}
            >
              <span class="hidden">{carried.includes(block) ? 'carried' : 'not carried'}</span>
            </td>
          ))}
          <td class="number">{bytes.length === 0 ? '–' : bytesText(sizeOf(carried))}</td>
        </tr>
      ))}
    </Table>
  )
}
