import type { ClusterState } from './cluster-state.ts'
import { Table } from './table.tsx'
import { rateText, timeText } from './words.ts'

interface LinkFacts {
  readonly name: string
  readonly rate: number
  readonly latency: number
  readonly encoding: string
  readonly bytesPerSecond: number
}

/** Links by what they carry now; those that share a medium are one, and take air from each other. */
export const Links = ({ state }: { readonly state: ClusterState }) => {
  const links = linksOf(state)
  if (links.length === 0) return null
  const rows = [...links].sort((a, b) => b.bytesPerSecond / b.rate - a.bytesPerSecond / a.rate)
  return (
    <Table caption="Links" heads={['Link', 'Used', 'Rate', 'Latency', 'Activations as']}>
      {rows.slice(0, MOST).map(({ name, rate, latency, encoding, bytesPerSecond }) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          <td class="number">
            {Math.round(100 * Math.min(1, bytesPerSecond / rate))} %<small>{rateText(bytesPerSecond)}</small>
          </td>
          <td class="number">{rateText(rate)}</td>
          <td class="number">{timeText(latency)}</td>
          <td>{encoding}</td>
        </tr>
      ))}
      {rows.length > MOST && (
        <tr>
          <td colSpan={5}>and {rows.length - MOST} more that carry less</td>
        </tr>
      )}
    </Table>
  )
}

/** Rows. */
const MOST = 24

const linksOf = ({ devices, flows }: ClusterState): readonly LinkFacts[] => {
  const flowOf = new Map(flows.map(({ from, to, bytesPerSecond }) => [`${from}\n${to}`, bytesPerSecond]))
  const own: LinkFacts[] = []
  const media = new Map<string, LinkFacts & { readonly members: Set<string> }>()
  for (const { name: from, links } of devices) {
    for (const { to, rate, latency, encoding, medium } of links) {
      const bytesPerSecond = flowOf.get(`${from}\n${to}`) ?? 0
      if (medium === '') own.push({ name: `${from} → ${to}`, rate, latency, encoding, bytesPerSecond })
      else {
        const members = (media.get(medium)?.members ?? new Set()).add(from).add(to)
        const sum = (media.get(medium)?.bytesPerSecond ?? 0) + bytesPerSecond
        const name = `one medium: ${[...members].join(', ')}`
        media.set(medium, { name, rate, latency, encoding, members, bytesPerSecond: sum })
      }
    }
  }
  return [...own, ...media.values()]
}
