import { type Ailment, ailments } from '../view/ailments.ts'
import type { ClusterState } from './cluster-state.ts'
import { Table } from './table.tsx'

/** What is wrong anywhere in the cluster, the gravest first. */
export const Health = ({ state }: { readonly state: ClusterState }) => {
  const found = ailments(state)
  if (found.length === 0) return <p class="healthy">All {state.devices.length} devices and their sources are well.</p>
  return (
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
}
