import type { ClusterState, SourceFacts } from './cluster-state.ts'
import { Table } from './table.tsx'
import { perSecondText, timeText } from './words.ts'

const SPARK = { width: 120, height: 24 }

const Spark = ({ values }: { readonly values: readonly number[] }) => {
  const most = Math.max(...values, 1e-9)
  const points = values.map((value, i) => {
    const x = (i / Math.max(1, values.length - 1)) * SPARK.width
    return `${x.toFixed(1)},${(SPARK.height - 2 - (value / most) * (SPARK.height - 4)).toFixed(1)}`
  })
  return (
    <svg class="spark" viewBox={`0 0 ${SPARK.width} ${SPARK.height}`} aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  )
}

export const Sources = ({ state }: { readonly state: ClusterState }) => {
  if (state.sources.length === 0) return <p class="empty">No device has a source.</p>
  const heads = ['Source', 'State', 'Results/s', 'Inference time', 'Data']
  return (
    <Table caption="Sources" heads={heads}>
      {state.sources.map(source => (
        <SourceRow key={`${source.name}@${source.device}`} source={source} state={state} />
      ))}
    </Table>
  )
}

const SourceRow = ({ source, state }: { readonly source: SourceFacts; readonly state: ClusterState }) => {
  const { name, device, model, because, rate, inferenceTime, inFlight, window, completed, dropped, failed } = source
  return (
    <tr class={source.state === 'failed' ? 'wrong' : ''}>
      <th scope="row">
        {name}
        <small>
          {device}, {model}
        </small>
      </th>
      <td>
        {source.state}
        {because !== '' && <small>{because}</small>}
      </td>
      <td class="number">
        {perSecondText(rate)}
        <Spark values={state.rates.get(`${name}@${device}`) ?? []} />
      </td>
      <td class="number">
        {timeText(inferenceTime.p50)}
        <small>95 %: {timeText(inferenceTime.p95)}</small>
      </td>
      <td class="number">
        {completed} done
        <small>
          {inFlight}
          {window > 0 && ` of ${window}`} in flight, {dropped} dropped,{' '}
          <span class={failed > 0 ? 'wrong' : ''}>{failed} failed</span>
        </small>
      </td>
    </tr>
  )
}
