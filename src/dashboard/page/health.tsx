import { type Ailment, ailments } from '../view/ailments.ts'
import type { ClusterState } from './cluster-state.ts'
import { Table } from './table.tsx'

/** What is wrong anywhere in the cluster, the gravest first. */
export const Health = ({ state }: { readonly state: ClusterState }) => {
  const found = ailments(state)
  return (
    <>
      {found.length === 0 ? (
        <p class="healthy">All {state.devices.length} devices and their sources are well.</p>
      ) : (
        <Ailments found={found} />
      )}
      <Audits audits={state.audits} />
    </>
  )
}

const Ailments = ({ found }: { readonly found: readonly Ailment[] }) => (
  <Table caption="What is wrong" heads={['Where', 'What', 'Why']}>
    {found.map(({ where, what, because, isGrave }: Ailment, i) => (
      <tr key={i} class={isGrave ? 'wrong' : ''}>
        <th scope="row">{where}</th>
        <td class={isGrave ? 'wrong' : ''}>{what}</td>
        <td class="short">{because}</td>
      </tr>
    ))}
  </Table>
)

const Audits = ({ audits: { done, deviations } }: Pick<ClusterState, 'audits'>) =>
  done === 0 ? null : (
    <p class="note">
      Audits: {done} {done === 1 ? 'datum was' : 'data were'} computed a second time, by another device;{' '}
      {deviations === 0 ? 'the results agree.' : `of ${deviations} the results differed.`}
    </p>
  )
