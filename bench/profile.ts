import '../src/core/promise-with-resolvers.ts'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emulateScenario } from '../src/cli/emulate/emulate-scenario.ts'
import { parseScenario } from '../src/core/scenario.ts'
import { textTable } from '../src/report/text-table.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { judge } from './judge.ts'
import { type CallFrame, namedBySource } from './named-by-source.ts'

// Where a busy device spends its time: two devices that share a model, about 100 tasks a second each, profiled by V8. Shares are
// of one core over the run. Budget: policy logic (policies, queues and path search, of the main thread) 5 %.

const SCENARIO = {
  // Room for eight of the twelve blocks, each 456 KiB with all that its file holds.
  devices: { a: { speed: 0.4, memory: '3800KiB' }, b: { speed: 0.4, memory: '3800KiB' } },
  links: { topology: 'full', default: { bandwidth: '200Mbps', latency: '1ms' } },
  models: {
    m: {
      blocks: Array.from({ length: 12 }, () => ({ work: '2.4ms', weights: '200KiB' })),
      activations: [...Array.from({ length: 12 }, (_, k) => `${150 - 8 * k}KB`), '4KB']
    }
  },
  sources: [
    { name: 'one', device: 'a', model: 'm', arrivals: { poisson: '8/s' }, count: 320, window: 64 },
    { name: 'two', device: 'b', model: 'm', arrivals: { poisson: '8/s' }, count: 320, window: 64 }
  ]
}
const BUDGET = 0.05
/** Beside tensors, of each block that is run, without what emulates a slower device; start and end of the run are left out. */
const BUDGET_KB = 10
/** Who has this loaded is a device, and no planner nor a lane. */
const IS_DEVICE = /\/src\/runtime\/device\/device\.[jt]s$/

interface ProfileNode {
  readonly id: number
  readonly callFrame: CallFrame
  readonly children?: readonly number[]
}
interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
  readonly startTime: number
  readonly endTime: number
}

const PLACES: readonly (readonly [string, RegExp])[] = [
  ['policy', /\/src\/(scheduler|core\/cheapest-path|core\/cost-heap)/],
  ['device: bookkeeping', /\/src\/(cluster|runtime\/(device|cluster|dispatch|io))\//],
  ['device: network', /\/src\/runtime\/network/],
  ['device: engine', /\/src\/runtime\/(engine|onnx)/],
  ['emulation', /\/src\/emulation/],
  ['planner', /\/src\/planner|highs/],
  ['protobuf', /@bufbuild/],
  ['libp2p', /libp2p|chainsafe|multiformats|uint8arraylist|it-|protons/],
  ['other of ours', /\/(src|dist)\//],
  ['other packages', /node_modules/],
  ['Node itself', /^node:/]
]

/** What a node of the call tree counts as. What a policy calls is policy; what it calls back in the device is not. */
const placeOf = ({ callFrame }: Pick<ProfileNode, 'callFrame'>, above: string): string => {
  const { functionName, url } = callFrame
  if (functionName === '(idle)') return 'idle'
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(program)') return 'native code'
  const found = PLACES.find(([, pattern]) => pattern.test(url))?.[0]
  if (url === '' || found === 'Node itself' || found === 'other of ours')
    return above === '' ? (found ?? 'native code') : above
  return found ?? 'native code'
}

const functionOf = ({ functionName, url, lineNumber }: CallFrame): string => {
  const where = url.replace(/^.*?\/((src|node_modules|dist)\/)/, '$1')
  return `${functionName || '(anonymous)'} ${where === '' ? '' : `${where}:${lineNumber + 1}`}`
}

interface Spent {
  readonly places: Map<string, number>
  readonly functions: Map<string, number>
  readonly seconds: number
}

const spentIn = ({ nodes, samples, timeDeltas, startTime, endTime }: CpuProfile): Spent => {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const place = new Map<number, string>()
  const walk = (id: number, above: string): void => {
    const node = byId.get(id)!
    const own = placeOf(node, above)
    place.set(id, own)
    for (const child of node.children ?? []) walk(child, own)
  }
  walk(nodes[0]!.id, '')
  const places = new Map<string, number>()
  const functions = new Map<string, number>()
  for (const [i, id] of samples.entries()) {
    const time = (timeDeltas[i] ?? 0) / 1e6
    const { callFrame } = byId.get(id)!
    const add = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + time)
    add(places, place.get(id)!)
    if (!['(idle)', '(root)'].includes(callFrame.functionName)) add(functions, functionOf(callFrame))
  }
  return { places, functions, seconds: (endTime - startTime) / 1e6 }
}

interface AllocationNode {
  readonly callFrame: ProfileNode['callFrame']
  readonly selfSize: number
  readonly children: readonly AllocationNode[]
}

interface AllocationProfile {
  readonly head: AllocationNode
}

/** Bytes, in what V8 counts as its heap: the memory of tensors is not in it. @param nameOf what a node of the call tree counts as */
const allocatedIn = (
  { head }: AllocationProfile,
  nameOf: (node: AllocationNode, above: string) => string
): ReadonlyMap<string, number> => {
  const sizes = new Map<string, number>()
  const walk = (node: AllocationNode, above: string): void => {
    const own = nameOf(node, above)
    sizes.set(own, (sizes.get(own) ?? 0) + node.selfSize)
    for (const child of node.children) walk(child, own)
  }
  walk(head, '')
  return sizes
}

const holds = (node: AllocationNode, pattern: RegExp): boolean =>
  pattern.test(node.callFrame.url) || node.children.some(child => holds(child, pattern))

const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-profile-'))
const abort = new AbortController()
process.once('SIGINT', () => abort.abort(new Error('stopped')))

/** One run with the devices' main threads under a profiler. */
const profiled = async <T>(kind: 'time' | 'allocations', count: number, everySecond = 8) => {
  const profiles = join(folder, `${kind}-${count}`)
  await mkdir(profiles)
  process.env['TRIBUTARY_PROFILES'] = profiles
  process.env['TRIBUTARY_PROFILE'] = kind
  process.env['NODE_OPTIONS'] = `--import ${new URL('./profile-hook.js', import.meta.url).href}`
  const { report } = await emulateScenario({
    scenario: parseScenario(
      {
        ...SCENARIO,
        sources: SCENARIO.sources.map(source => ({ ...source, count, arrivals: { poisson: `${everySecond}/s` } }))
      },
      'bench'
    ),
    policies: ['confluence'],
    seed: 1,
    folder: await mkdtemp(join(folder, 'run-')),
    clock: systemClock,
    signal: abort.signal,
    say: text => void (process.stderr.isTTY && process.stderr.write(`${text}\n`)),
    againstSimulation: false,
    adapts: true,
    command: 'bench profile'
  })
  delete process.env['NODE_OPTIONS']
  const bySource = (key: string, value: unknown): unknown =>
    key === 'callFrame' ? namedBySource(value as CallFrame) : value
  const all = await Promise.all(
    (await readdir(profiles)).map(async file => JSON.parse(await readFile(join(profiles, file), 'utf8'), bySource) as T)
  )
  const run = report.runs[0]!
  if (!(run.makespan > 0)) throw new Error('no datum was served: nothing was measured')
  return { run, all }
}

try {
  const { run, all } = await profiled<CpuProfile>('time', 320)
  // Lanes are threads and planners are processes, with profiles of their own; a main thread is where the device is.
  const mains = all.filter(({ nodes }) => nodes.some(({ callFrame }) => IS_DEVICE.test(callFrame.url)))
  const spent = mains.map(spentIn)
  const busiest = spent.toSorted(
    (a, b) => (a.places.get('idle') ?? 0) / a.seconds - (b.places.get('idle') ?? 0) / b.seconds
  )[0]!
  const tasks = Math.max(...run.devices.map(device => device.tasks)) / run.makespan
  // The process lives longer than the run: shares are of the run.
  const share = (time: number): string => `${((100 * time) / run.makespan).toFixed(2)} %`
  const rows = [...busiest.places].filter(([name]) => name !== 'idle').sort((a, b) => b[1] - a[1])
  process.stdout.write(
    `${tasks.toFixed(0)} tasks a second on the busiest device, for ${run.makespan.toFixed(0)} s; its main thread, shares of one core (start-up included):\n`
  )
  process.stdout.write(
    `${textTable(
      [
        { title: 'where', align: 'left' },
        { title: 'share', align: 'right' }
      ],
      rows.map(([name, time]) => [name, share(time)])
    )}\n\n`
  )
  const top = [...busiest.functions].sort((a, b) => b[1] - a[1]).slice(0, 15)
  process.stdout.write(
    `${textTable(
      [
        { title: 'function, itself', align: 'left' },
        { title: 'share', align: 'right' }
      ],
      top.map(([name, time]) => [name, share(time)])
    )}\n\n`
  )
  const policy = Math.max(...spent.map(({ places }) => places.get('policy') ?? 0)) / run.makespan
  const measured = `${(100 * policy).toFixed(2)} % of one core at ${tasks.toFixed(0)} tasks a second`
  // The budget is for 100 tasks a second.
  process.stdout.write(judge('policy logic', measured, (policy * 100) / tasks, { atMost: BUDGET }))
  // What is allocated at the start and by time is in both runs, which last as long: the difference is what data cost.
  const [few, many] = [
    await profiled<AllocationProfile>('allocations', 40, 8 / 6),
    await profiled<AllocationProfile>('allocations', 240)
  ]
  const ran = (which: typeof few): number => which.run.devices.reduce((sum, device) => sum + device.tasks, 0)
  /** KB of each name, of both devices together. */
  const perTask = (nameOf: (node: AllocationNode, above: string) => string): readonly (readonly [string, number])[] => {
    const sums = new Map<string, number>()
    for (const [which, sign] of [[many, 1] as const, [few, -1] as const])
      for (const profile of which.all.filter(({ head }) => holds(head, IS_DEVICE)))
        for (const [name, size] of allocatedIn(profile, nameOf)) sums.set(name, (sums.get(name) ?? 0) + sign * size)
    const tasks = ran(many) - ran(few)
    return [...sums].map(([name, size]) => [name, size / tasks / 1000] as const).sort((a, b) => b[1] - a[1])
  }
  const places = perTask(placeOf)
  const tables = [
    ['allocated per task, main thread, without tensors', places, places.length],
    // What the language itself makes is counted as whose doing it was.
    ['function', perTask(({ callFrame }, above) => (callFrame.url === '' && above ? above : functionOf(callFrame))), 60]
  ] as const
  for (const [title, sizes, most] of tables)
    process.stdout.write(
      `${textTable(
        [
          { title, align: 'left' },
          { title: 'KB', align: 'right' }
        ],
        sizes.slice(0, most).map(([name, size]) => [name, size.toFixed(2)])
      )}\n\n`
    )
  const whole = places.reduce((sum, [name, size]) => sum + (name === 'emulation' ? 0 : size), 0)
  process.stdout.write(
    judge('allocated per task beside tensors', `${whole.toFixed(1)} KB`, whole, { atMost: BUDGET_KB })
  )
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
