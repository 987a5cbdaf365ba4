import { beforeEach, describe, expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { bytes, seconds } from '../core/units.ts'
import type { NumberedPlacement } from './numbered-placement.ts'
import { Rollout, type RolloutBlock } from './rollout.ts'

const [A, B, C] = ['a', 'b', 'c'].map(deviceId) as [ReturnType<typeof deviceId>, ...ReturnType<typeof deviceId>[]]
const net = modelId('net')
const block = (k: number): RolloutBlock => ({ model: net, name: 'net', block: k, bytes: bytes(1), digest: `${k}` })
const BLOCKS = [0, 1, 2].map(block)

let now = 0
let held: Set<number>
let offered: Set<number>
let used: Set<number>
let carriers: Record<number, readonly (typeof A)[]>
let ready: Record<string, number>

/** Device b with room for two blocks. */
const open = (memory = 2): Rollout<RolloutBlock> =>
  new Rollout<RolloutBlock>({
    self: B!,
    now: () => seconds(now),
    memory: bytes(memory),
    assigned: placement => (placement.get(B!)?.get(net) ?? []).map(k => BLOCKS[k]!),
    knowsModels: () => true,
    held: () => [...held].map(k => BLOCKS[k]!),
    departed: () => [],
    weight: () => bytes(held.size),
    inUse: ({ block: k }) => used.has(k),
    isOffered: ({ block: k }) => offered.has(k),
    offer: ({ block: k }, on) => void (on ? offered.add(k) : offered.delete(k)),
    carriers: ({ block: k }) => carriers[k] ?? [],
    others: () => Object.entries(ready).map(([id, readyEpoch]) => ({ id: deviceId(id), readyEpoch })),
    changed: () => {},
    say: () => {}
  })

const placed = (epoch: number, own: readonly number[], others: readonly number[] = []): NumberedPlacement => ({
  epoch,
  planner: A,
  placement: new Map([
    [A, new Map([[net, others]])],
    [B!, new Map([[net, own]])]
  ]),
  unplaced: []
})

/** What it asks for until it asks for nothing; everything succeeds at once. */
const follow = (rollout: Rollout<RolloutBlock>): string[] => {
  const steps: string[] = []
  for (let step = rollout.next(); step !== undefined && steps.length < 20; step = rollout.next()) {
    steps.push(`${step.kind} ${step.block.block}`)
    if (step.kind === 'fetch') rollout.fetched(step.block)
    else if (step.kind === 'drop') held.delete(step.block.block)
    else {
      held.add(step.block.block)
      rollout.loaded(step.block)
    }
  }
  return steps
}

beforeEach(() => {
  now = 0
  held = new Set()
  offered = new Set()
  used = new Set()
  carriers = {}
  ready = { a: 0 }
})

describe('a rollout', () => {
  test('blocks of a model that whoever planned does not know stay, unless their room is needed', () => {
    const rollout = open()
    rollout.adopt(placed(1, [0, 1]))
    expect(follow(rollout)).toEqual(['fetch 0', 'load 0', 'fetch 1', 'load 1'])
    const other = { epoch: 2, planner: A, placement: new Map([[A, new Map([[modelId('other'), [0]]])]]), unplaced: [] }
    ready = { a: 2 }
    rollout.adopt(other)
    expect(follow(rollout)).toEqual([])
    expect(rollout.readyEpoch).toBe(2)
    rollout.adopt({ ...other, epoch: 3, unplaced: [{ model: net, block: 0 }] } as never)
    ready = { a: 3 }
    expect(follow(rollout)).toEqual(['drop 0', 'drop 1'])
  })

  test('who is to have a block and was not heard of is not ready', () => {
    const rollout = open()
    rollout.adopt(placed(1, [0, 1]))
    follow(rollout)
    rollout.adopt(placed(2, [], [0, 1]))
    ready = {}
    expect(follow(rollout)).toEqual([])
    ready = { a: 2 }
    expect(follow(rollout)).toEqual(['drop 0', 'drop 1'])
  })

  test('fetches, loads, offers and is ready; what is no longer asked for goes when the others are ready too', () => {
    const rollout = open()
    rollout.adopt(placed(1, [0]))
    expect(follow(rollout)).toEqual(['fetch 0', 'load 0'])
    expect([rollout.readyEpoch, [...offered]]).toEqual([1, [0]])
    rollout.adopt(placed(2, [1]))
    expect(follow(rollout)).toEqual(['fetch 1', 'load 1'])
    expect([rollout.readyEpoch, [...offered]]).toEqual([2, [0, 1]])
    ready = { a: 1 }
    expect(follow(rollout)).toEqual([])
    ready = { a: 2 }
    expect(follow(rollout)).toEqual(['drop 0'])
    expect([...offered]).toEqual([1])
  })

  test('a device that is no part of the placement holds up no drop', () => {
    const rollout = open()
    held.add(0)
    ready = { a: 1, c: 0 }
    rollout.adopt(placed(1, [1]))
    expect(follow(rollout)).toEqual(['fetch 1', 'load 1', 'drop 0'])
    expect(C).toBe('c')
  })

  test('makes room by what another one is to keep; else it waits five seconds', () => {
    const rollout = open(1)
    held.add(0)
    offered.add(0)
    rollout.adopt(placed(1, [1], [0]))
    expect(follow(rollout)).toEqual(['fetch 1'])
    now = 4.9
    expect(follow(rollout)).toEqual([])
    carriers = { 0: [C!] } // c is not asked to keep it, and its id is no smaller
    expect(follow(rollout)).toEqual([])
    carriers = { 0: [A] }
    expect(follow(rollout)).toEqual(['drop 0', 'load 1'])
    held = new Set([0])
    carriers = {}
    rollout.adopt(placed(2, [1]))
    expect(follow(rollout)).toEqual(['fetch 1'])
    now = 9.95
    expect(follow(rollout)).toEqual(['drop 0', 'load 1'])
  })

  test('what is in use is offered no longer after 0.3 s, and again where a newer placement wants it', () => {
    const rollout = open(1)
    held.add(0)
    offered.add(0)
    used.add(0)
    carriers = { 0: [A] }
    rollout.adopt(placed(1, [1], [0]))
    follow(rollout)
    expect([...offered]).toEqual([0])
    now = 0.3
    follow(rollout)
    expect([...offered]).toEqual([])
    rollout.adopt(placed(2, [0]))
    follow(rollout)
    expect([...offered]).toEqual([0])
  })

  test('a block that fails lets the others go first; when all have failed there is a pause, which a newer placement ends', () => {
    const rollout = open()
    rollout.adopt(placed(1, [0, 1]))
    const fail = (k: number): void => rollout.failed(BLOCKS[k]!, new Error('nobody gave it'), 'notGiven')
    expect(rollout.next()).toEqual({ kind: 'fetch', block: BLOCKS[0] })
    fail(0)
    expect(rollout.next()).toEqual({ kind: 'fetch', block: BLOCKS[1] })
    fail(1)
    expect(rollout.next()).toBeUndefined()
    now = 0.99
    expect(rollout.next()).toBeUndefined()
    now = 1
    expect(rollout.next()).toEqual({ kind: 'fetch', block: BLOCKS[0] })
    fail(0)
    rollout.next()
    fail(1)
    expect(rollout.next()).toBeUndefined()
    rollout.adopt(placed(2, [0, 1]))
    expect(rollout.next()).toEqual({ kind: 'fetch', block: BLOCKS[0] })
  })

  test('a failure at what an older placement asked for counts for nothing', () => {
    const rollout = open()
    rollout.adopt(placed(1, [0]))
    rollout.next()
    rollout.adopt(placed(2, [0]))
    rollout.failed(BLOCKS[0]!, new Error('given up'), 'notGiven')
    expect(rollout.failures.because(net, 0)).toBeUndefined()
    expect(rollout.next()).toEqual({ kind: 'fetch', block: BLOCKS[0] })
  })
})
