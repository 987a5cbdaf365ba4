import { useState } from 'preact/hooks'
import { planningWords } from '../../runtime/device/planning-words.ts'
import type { PlanFacts } from '../plans/plan-facts.ts'
import { lostDevices } from '../view/lost-devices.ts'
import { whatLimits } from '../view/what-limits.ts'
import { Actions } from './actions/actions.tsx'
import { Devices } from './devices.tsx'
import { Links } from './links.tsx'
import { LimitsByPlan } from './plans/limits-by-plan.tsx'
import { usePlan } from './plans/use-plan.ts'
import { Sources } from './sources.tsx'
import { Topology } from './topology.tsx'
import type { ViewProps } from './views.tsx'

/** What still holds of what the planner said. */
const freshPlan = (facts: PlanFacts | undefined) =>
  facts?.because === '' && facts.outlook?.kind === 'outlook' && facts.outlook.carried.kind === 'served'
    ? facts.outlook.carried
    : undefined

/** Who is there, what flows, and what limits the whole. */
export const ClusterView = ({ state }: ViewProps) => {
  const [chosen, setChosen] = useState<string>()
  const facts = usePlan()
  const lost = lostDevices(state.lines, state.devices)
  const limit = whatLimits(state, state.flows, freshPlan(facts))
  return (
    <>
      <section class={`limit ${limit.kind}`} aria-label="What limits the cluster now" role="status">
        <strong>{limit.headline}</strong> <span>{limit.advice}</span>
      </section>
      <LimitsByPlan facts={facts} limit={limit} />
      {planningWords(state.devices).map(text => (
        <p key={text} class="note">
          {text}.
        </p>
      ))}
      {state.differences.map(text => (
        <p key={text} class="wrong">
          {text}
        </p>
      ))}
      <div class="columns">
        <section>
          <h3>Topology</h3>
          <Topology
            state={state}
            lost={lost}
            limit={limit}
            chosen={chosen}
            choose={name => setChosen(name === chosen ? undefined : name)}
          />
          <p class="note">
            A ring is the share of the time in which a device computes, a line what flows. ★ plans. Amber limits the
            whole.
          </p>
        </section>
        <section>
          <h3>Sources</h3>
          <Sources state={state} />
        </section>
      </div>
      <h3>Devices</h3>
      <Devices state={state} chosen={chosen} lost={lost} />
      {state.guests.length > 0 && (
        <p class="note">Guests, which look on or ask: {state.guests.map(({ name }) => name).join(', ')}.</p>
      )}
      {state.losses.devicesLost > lost.length && (
        <p class="note">
          Lost, and not back: {state.losses.devicesLost} {state.losses.devicesLost === 1 ? 'device' : 'devices'}.
        </p>
      )}
      {state.devices.length > 1 && <h3>Links</h3>}
      <Links state={state} />
      {facts !== undefined && (
        <>
          <h3>Actions</h3>
          <Actions state={state} facts={facts.actions} />
        </>
      )}
    </>
  )
}
