import { Table } from './table.tsx'
import type { ViewProps } from './views.tsx'

/** By model: which device carries which of its blocks. */
export const PlacementView = ({ state }: ViewProps) => {
  const { models, epoch, ready, unplaced } = state.placement
  const names = Object.keys(models)
  if (names.length === 0) return <p class="empty">Nothing is placed yet.</p>
  return (
    <>
      <p class="note">
        Placement {epoch}
        {ready ? ', loaded everywhere' : ', being loaded'}; planned by {state.planner ?? 'nobody'}.
      </p>
      {names.map(model => (
        <Grid key={model} model={model} placed={models[model]!} />
      ))}
      {unplaced.map(({ model, block, because }) => (
        <p key={`${model} ${block}`} class="wrong">
          Block {block} of {model}: {because}
        </p>
      ))}
    </>
  )
}

interface GridProps {
  readonly model: string
  readonly placed: Readonly<Record<string, readonly number[]>>
}

const Grid = ({ model, placed }: GridProps) => {
  const last = Math.max(...Object.values(placed).flat(), 0)
  const blocks = Array.from({ length: last + 1 }, (_, block) => block)
  return (
    <Table caption={`Blocks of ${model}`} heads={[model, ...blocks.map(String)]}>
      {Object.entries(placed).map(([device, carried]) => (
        <tr key={device}>
          <th scope="row">{device}</th>
          {blocks.map(block => (
            <td key={block} class={carried.includes(block) ? 'carried' : 'not'}>
              <span class="hidden">{carried.includes(block) ? 'carried' : 'not carried'}</span>
            </td>
          ))}
        </tr>
      ))}
    </Table>
  )
}
