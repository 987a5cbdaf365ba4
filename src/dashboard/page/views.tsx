import type { FunctionComponent } from 'preact'
import type { ClusterState } from './cluster-state.ts'
import { ClusterView } from './cluster-view.tsx'
import { EventsView } from './events-view.tsx'
import { PlacementView } from './placement-view.tsx'
import { ResultsView } from './results-view.tsx'
import { TimelinesView } from './timelines-view.tsx'

export interface ViewProps {
  readonly state: ClusterState
}

export interface View {
  /** After # in the address. */
  readonly path: string
  readonly title: string
  readonly Content: FunctionComponent<ViewProps>
}

/** What the page can show, the first when nothing else is asked for. Only the one that is shown does any work. */
export const VIEWS: readonly [View, ...View[]] = [
  { path: 'cluster', title: 'Cluster', Content: ClusterView },
  { path: 'placement', title: 'Placement', Content: PlacementView },
  { path: 'timelines', title: 'Timelines', Content: TimelinesView },
  { path: 'results', title: 'Results', Content: ResultsView },
  { path: 'events', title: 'Events', Content: EventsView }
]
