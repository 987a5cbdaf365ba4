import { useState } from 'preact/hooks'
import { whatLimits } from '../view/what-limits.ts'
import { Devices } from './devices.tsx'
import { Sources } from './sources.tsx'
import { Topology } from './topology.tsx'
import type { ViewProps } from './views.tsx'

/** Who is there, what flows, and what limits the whole. */
export const ClusterView = ({ state }: ViewProps) => {
  const [chosen, setChosen] = useState<string>()
  const limit = whatLimits(state, state.flows)
  return (
    <>
      <section class={`limit ${limit.kind}`} aria-label="What limits the cluster now" role="status">
        <strong>{limit.headline}</strong> <span>{limit.advice}</span>
      </section>
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
      <Devices state={state} chosen={chosen} />
    </>
  )
}
