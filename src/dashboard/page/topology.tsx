import { layOut, type Point } from '../view/lay-out.ts'
import type { LostDevice } from '../view/lost-devices.ts'
import type { Limit } from '../view/what-limits.ts'
import type { ClusterState, DeviceFacts } from './cluster-state.ts'
import { useNarrow } from './use-narrow.ts'
import { bytesText, clockText, perSecondText, rangesText, rateText } from './words.ts'

/** Half of what is drawn, and where devices stand: letters are as large on a narrow screen. */
const WIDE = { size: { x: 380, y: 210 }, radii: { x: 250, y: 120 } }
const NARROW = { size: { x: 200, y: 230 }, radii: { x: 125, y: 145 } }

export interface TopologyProps {
  readonly state: ClusterState
  readonly lost: readonly LostDevice[]
  readonly limit: Limit
  readonly chosen: string | undefined
  readonly choose: (name: string) => void
}

/** Devices, and what flows between them now. */
export const Topology = ({ state, lost, limit, chosen, choose }: TopologyProps) => {
  const { size, radii } = useNarrow() ? NARROW : WIDE
  const points = layOut(
    [...state.devices, ...lost].map(({ name }) => name),
    radii
  )
  const media = mediaOf(state)
  const radius = Math.max(10, Math.min(34, 300 / state.devices.length))
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing is no form
    <svg
      class="topology"
      viewBox={`${-size.x} ${-size.y} ${2 * size.x} ${2 * size.y}`}
      role="group"
      aria-label="Devices and the links between them"
    >
      {state.flows
        .filter(({ from, to }) => points.has(from) && points.has(to) && mediumOf(state, from, to) === '')
        .map(flow => (
          <Link
            key={`${flow.from} ${flow.to}`}
            from={points.get(flow.from)!}
            to={points.get(flow.to)!}
            radius={radius}
            bytesPerSecond={flow.bytesPerSecond}
            rate={rateOf(state, flow.from, flow.to)}
            words={`${flow.from} to ${flow.to}`}
            isFull={limit.kind === 'link' && limit.marked[0] === flow.from && limit.marked[1] === flow.to}
          />
        ))}
      {media.map(({ medium, members, carries, rate }) => (
        <Medium
          key={medium}
          points={members.flatMap(name => points.get(name) ?? [])}
          words={`One medium of ${members.join(', ')}: ${rateText(carries)} now, ${rateText(rate)} measured`}
          share={rate > 0 ? Math.min(1, carries / rate) : 0}
          isFull={limit.kind === 'link' && members.every(name => limit.marked.includes(name))}
        />
      ))}
      {lost.map(({ name, since }) => (
        <g key={`lost ${name}`} class="gone" transform={`translate(${points.get(name)!.x} ${points.get(name)!.y})`}>
          <circle class="body" r={radius} />
          <text class="name" y={radius + 16}>
            {short(name)}
          </text>
          <text class="detail" y={radius + 30}>
            lost at {clockText(since)}
          </text>
        </g>
      ))}
      {state.devices.map(device => (
        <Device
          key={device.id}
          device={device}
          at={points.get(device.name)!}
          radius={radius}
          isMarked={limit.marked.includes(device.name)}
          isChosen={chosen === device.name}
          isPlanner={state.planner === device.name}
          choose={choose}
          sources={state.sources.filter(source => source.device === device.name)}
        />
      ))}
    </svg>
  )
}

const mediumOf = ({ devices }: ClusterState, from: string, to: string): string =>
  devices.find(({ name }) => name === from)?.links.find(link => link.to === to)?.medium ?? ''

/** Whoever shares one, and what all of them send on it. */
const mediaOf = ({ devices, flows }: ClusterState) => {
  const media = new Map<string, { medium: string; members: string[]; carries: number; rate: number }>()
  for (const { name, links } of devices)
    for (const { to, medium, rate } of links) {
      if (medium === '') continue
      const of = media.get(medium) ?? { medium, members: [], carries: 0, rate }
      for (const member of [name, to]) if (!of.members.includes(member)) of.members.push(member)
      of.carries += flows.find(flow => flow.from === name && flow.to === to)?.bytesPerSecond ?? 0
      media.set(medium, of)
    }
  return [...media.values()]
}

interface MediumProps {
  readonly points: readonly Point[]
  readonly words: string
  readonly share: number
  readonly isFull: boolean
}

/** A hub: what one sends all hear. */
const Medium = ({ points, words, share, isFull }: MediumProps) => {
  const sum = points.reduce((sum, { x, y }) => ({ x: sum.x + x, y: sum.y + y }), { x: 0, y: 0 })
  const hub = { x: sum.x / (points.length || 1), y: sum.y / (points.length || 1) }
  return (
    <g class={`link ${share > 0.01 ? 'flows' : ''} ${isFull ? 'full' : ''}`}>
      <title>{words}</title>
      {points.map(({ x, y }, i) => (
        <path key={i} d={`M ${x} ${y} L ${hub.x} ${hub.y}`} stroke-width={1.5 + 4 * share} />
      ))}
      <circle class="hub" cx={hub.x} cy={hub.y} r="17" />
      <text x={hub.x} y={hub.y} dy="0.35em">
        {Math.round(100 * share)}%
      </text>
    </g>
  )
}

const rateOf = ({ devices }: ClusterState, from: string, to: string): number =>
  devices.find(({ name }) => name === from)?.links.find(link => link.to === to)?.rate ?? 0

interface LinkProps {
  readonly from: Point
  readonly to: Point
  readonly radius: number
  readonly bytesPerSecond: number
  readonly rate: number
  readonly words: string
  readonly isFull: boolean
}

/** One direction: bent to its right, so that both are seen. */
const Link = ({ from, to, radius, bytesPerSecond, rate, words, isFull }: LinkProps) => {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1
  const [ux, uy] = [(to.x - from.x) / length, (to.y - from.y) / length]
  const gap = radius + 8
  const start = { x: from.x + ux * gap, y: from.y + uy * gap }
  const end = { x: to.x - ux * gap, y: to.y - uy * gap }
  const bend = Math.min(28, length / 10)
  const middle = { x: (from.x + to.x) / 2 - uy * bend, y: (from.y + to.y) / 2 + ux * bend }
  const flows = bytesPerSecond > 1000
  const use = rate > 0 ? Math.min(1, bytesPerSecond / rate) : 0
  const path = `M ${start.x} ${start.y} Q ${middle.x} ${middle.y} ${end.x} ${end.y}`
  return (
    <g class={`link ${flows ? 'flows' : ''} ${isFull ? 'full' : ''}`}>
      <path d={path} stroke-width={flows ? 1.5 + 5 * use : 1}>
        <title>
          {words}: {rateText(bytesPerSecond)} now, {rateText(rate)} measured
        </title>
      </path>
      {flows && <path class="dashes" d={path} stroke-width={1.5 + 5 * use} />}
    </g>
  )
}

interface DeviceProps {
  readonly device: DeviceFacts
  readonly at: Point
  readonly radius: number
  readonly isMarked: boolean
  readonly isChosen: boolean
  readonly isPlanner: boolean
  readonly choose: (name: string) => void
  readonly sources: ClusterState['sources']
}

const Device = ({ device, at, radius, isMarked, isChosen, isPlanner, choose, sources }: DeviceProps) => {
  const { name, busy, models, state, troubles } = device
  const isWrong = state === 'failed' || troubles.length > 0
  const around = 2 * Math.PI * radius
  const carried = Object.entries(models).map(([model, { blocks }]) => `${model} ${rangesText(blocks)}`)
  const rate = sources.reduce((sum, source) => sum + source.rate, 0)
  const words = `${name}: computes ${Math.round(100 * busy)} % of the time, ${carried.length === 0 ? 'carries nothing' : `carries ${carried.join('; ')}`}`
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button cannot stand in a drawing
    <g
      class={`device ${isMarked ? 'marked' : ''} ${isChosen ? 'chosen' : ''} ${isWrong ? 'wrong' : ''}`}
      transform={`translate(${at.x} ${at.y})`}
      role="button"
      tabIndex={0}
      aria-pressed={isChosen}
      onClick={() => choose(name)}
      onKeyDown={event => {
        if (event.key !== 'Enter' && event.key !== ' ') return
        event.preventDefault()
        choose(name)
      }}
    >
      <circle class="body" r={radius} />
      <circle
        class="busy"
        r={radius}
        stroke-dasharray={`${around * busy} ${around}`}
        transform="rotate(-90)"
        fill="none"
      />
      <text class="share" dy="0.35em">
        {Math.round(100 * busy)}%
      </text>
      <text class="name" y={radius + 16}>
        {short(name)}
        {isPlanner ? ' ★' : ''}
      </text>
      {radius > 20 && (
        <text class="detail" y={radius + 30}>
          {short(carried.join('; ') || 'no blocks', 26)}
        </text>
      )}
      {sources.length > 0 && radius > 14 && (
        <text class="source" y={-radius - 8}>
          {sources.length === 1 ? short(sources[0]!.name) : `${sources.length} sources`} {perSecondText(rate)}/s
        </text>
      )}
      <title>
        {words}
        {isWrong ? `; ${troubles.join('; ')}` : ''}; {bytesText(device.bytesSent)} sent
      </title>
    </g>
  )
}

const short = (text: string, most = 16): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)
