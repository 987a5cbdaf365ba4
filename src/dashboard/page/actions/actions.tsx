import { useState } from 'preact/hooks'
import type { ActionFacts } from '../../actions/dashboard-actions.ts'
import type { ClusterState } from '../cluster-state.ts'
import { post } from '../post.ts'
import { Drain } from './drain.tsx'
import { Invite } from './invite.tsx'
import { OwnSources } from './own-sources.tsx'

export interface ActionProps {
  readonly state: ClusterState
  /** Asks, and tells people what came of it. */
  readonly act: (name: string, body: unknown, done: string) => Promise<void>
}

/** What a page may have done, by whoever brings the token. */
export const Actions = ({ state, facts }: { readonly state: ClusterState; readonly facts: ActionFacts }) => {
  const [said, say] = useState({ text: '', isWrong: false })
  if (facts.because !== '') return <p class="note">{facts.because}</p>
  const act: ActionProps['act'] = async (name, body, done) => {
    say({ text: '…', isWrong: false })
    try {
      await post(`api/actions/${name}`, body)
      say({ text: done, isWrong: false })
    } catch (error) {
      say({ text: (error as Error).message, isWrong: true })
    }
  }
  return (
    <section class="actions">
      <p role="status" class={said.isWrong ? 'said wrong' : 'said'}>
        {said.text}
      </p>
      <Drain state={state} act={act} />
      {facts.sources && <OwnSources state={state} act={act} />}
      <Invite />
    </section>
  )
}
