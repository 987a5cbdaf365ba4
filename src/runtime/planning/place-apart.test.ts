import { readdirSync, readFileSync } from 'node:fs'
import { constants, getPriority } from 'node:os'
import { expect, test } from 'vitest'
import { deviceId, modelId } from '../../core/ids.ts'
import { bytes, bytesPerSecond, seconds } from '../../core/units.ts'
import type { PlacementProblem } from '../../planner/placement.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { foreseeApart } from './foresee-apart.ts'
import { placeApart } from './place-apart.ts'
import { SparePlanner } from './spare-planner.ts'

const net = modelId('net')
const problem: PlacementProblem = {
  devices: ['a', 'b'].map(name => ({ id: deviceId(name), speed: 1, memory: bytes(Number.POSITIVE_INFINITY) })),
  models: [
    {
      id: net,
      blocks: [1, 1].map(work => ({ bytes: bytes(1), work: seconds(work) })),
      activations: [1, 1, 1].map(bytes)
    }
  ],
  links: [
    { from: 0, to: 1, rate: bytesPerSecond(1e6), latency: seconds(0) },
    { from: 1, to: 0, rate: bytesPerSecond(1e6), latency: seconds(0) }
  ],
  sources: [{ device: 0, model: 0, demand: 1 }],
  wholeModels: false,
  carried: new Map()
}

test('a plan comes from a process that ends', async () => {
  const said: string[] = []
  const { placement, unplaced } = await placeApart(text => said.push(text))(problem)
  expect({ said, unplaced }).toEqual({ said: [], unplaced: [] })
  for (const { id } of problem.devices) expect(placement.get(id)!.get(net)).toEqual([0, 1])
})

test('where planning fails, blocks are placed all the same, and it is said', async () => {
  const said: string[] = []
  const impossible = { ...problem, sources: [{ device: 7, model: 0, demand: 1 }] }
  expect(await placeApart(text => said.push(text))(impossible)).toEqual(proportionalPlacement(impossible))
  expect(said).toEqual([expect.stringMatching(/^the planner failed \(.+\); blocks are placed in proportion to speed$/)])
})

test('where planning takes too long, it is ended, and blocks are placed all the same', async () => {
  const said: string[] = []
  expect(await placeApart(text => said.push(text), seconds(0.001))(problem)).toEqual(proportionalPlacement(problem))
  expect(said[0]).toContain('the planner failed (it had no answer after 0.001 s)')
})

test('a process that was expected is asked, once', async () => {
  using spare = new SparePlanner()
  spare.expect()
  spare.expect()
  const first = spare.take()
  const taken = [first, spare.take()]
  expect(taken[1]).not.toBe(first)
  const answers = taken.map(child => placeApart(() => {}, undefined, { take: () => child })(problem))
  for (const { unplaced } of await Promise.all(answers)) expect(unplaced).toEqual([])
})

/** The processes of this one that plan; Linux only. */
const planners = (): number[] =>
  readdirSync('/proc/self/task')
    .flatMap(thread => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean))
    .filter(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('plan-process'))
    .map(Number)

/** Under which the processes that plan run until it is over. */
const nicenessDuring = async (work: Promise<unknown>): Promise<Set<number>> => {
  const niceness = new Set<number>()
  let isOver = false
  void work.finally(() => {
    isOver = true
  })
  while (!isOver) {
    try {
      for (const pid of planners()) niceness.add(getPriority(pid))
    } catch {} // it ended in between
    await new Promise(setImmediate)
  }
  return niceness
}

const GIVES_WAY = constants.priority.PRIORITY_BELOW_NORMAL

test.runIf(process.platform === 'linux')('a plan that takes long gives way to what is under way', async () => {
  const many = Array.from({ length: 24 }, (_, n) => n)
  const large: PlacementProblem = {
    ...problem,
    devices: many.map(n => ({ id: deviceId(`d${n}`), speed: 1 + (n % 5) / 7, memory: bytes(5 + (n % 3)) })),
    models: [
      {
        id: net,
        blocks: many.map(n => ({ bytes: bytes(1), work: seconds(1 + (n % 7) / 5) })),
        activations: [0, ...many].map(n => bytes(1 + n * 1000))
      }
    ],
    links: many.flatMap(from =>
      many.flatMap(to => (from === to ? [] : [{ from, to, rate: bytesPerSecond(1e4 + from), latency: seconds(0) }]))
    ),
    sources: many.slice(0, 4).map(device => ({ device, model: 0, demand: 1 }))
  }
  const niceness = await nicenessDuring(Promise.resolve(placeApart(() => {})(large)))
  expect(niceness).toContain(0) // at first others wait for it
  expect(niceness).toContain(GIVES_WAY)
})

test.runIf(process.platform === 'linux')('and so does what would be if, at once', async () => {
  const names = { devices: ['a', 'b'], models: ['net'], sources: ['cam'] }
  const asked = foreseeApart({ problem, names })
  expect(await nicenessDuring(asked)).toContain(GIVES_WAY)
})

/** Milliseconds: it gives way to all others. */
const PATIENCE = { timeout: 20_000 }

test.runIf(process.platform === 'linux')(
  'a process that was expected and is not asked ends when that is told',
  async () => {
    const there = new Set(planners())
    const fresh = (): number[] => planners().filter(pid => !there.has(pid))
    const spare = new SparePlanner()
    spare.expect()
    await expect.poll(fresh, PATIENCE).toHaveLength(1)
    spare[Symbol.dispose]()
    await expect.poll(fresh, PATIENCE).toEqual([])
  }
)
