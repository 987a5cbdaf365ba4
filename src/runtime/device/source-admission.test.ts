import { expect, test } from 'vitest'
import { type AdmissionTerms, PATIENT_TERMS } from '../../core/admission-terms.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { memorySink } from '../../testing/lone-device.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { Distrust } from '../cluster/distrust.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
import type { Item } from '../ports/data-port.ts'
import { ItemUnavailable } from '../ports/item-unavailable.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { LiveItems } from './live-items.ts'
import { SourceRunner, type SourceRunnerParts } from './source-runner.ts'

const manifest = { id: 'net', name: 'net', blocks: [{ work: seconds(0.01) }], activations: [{ tensors: [] }] }
const view = {
  ...{ self: 'porch', selfIndex: 0, manifestNamed: () => manifest, models: { nameOf: () => 'net' } },
  ...{ chooseModel: () => ({ kind: 'model', name: 'net', manifest }), useModel: () => {} },
  distrust: new Distrust(),
  world: { devices: [{ up: true, speed: 1 }], links: [], modelIndex: () => 0 }
}

/** A source with a window of 1, or 2 for data that arrive in time, computed one by one, each in `takes`. An item "bad" cannot be read, and those of `away` are not there. */
const computing = (
  admission: Partial<AdmissionTerms>,
  takes: Seconds,
  availableAt?: (datum: number) => Seconds,
  wallTime?: () => Seconds
) => {
  const window = availableAt === undefined ? 1 : 2
  const clock = createManualClock()
  const sink = memorySink()
  const settled: string[] = []
  const terms: AdmissionTerms = { ...PATIENT_TERMS, ...admission }
  const live = new LiveItems({ terms, clock, dropped: (numbered, reason) => source.drop(numbered, reason) })
  const list = Array.from({ length: 6 }, (_, datum) => ({ datum, item: { name: `${datum}` } }))
  const waiting = new Set<number>()
  const away = new Set<string>()
  const source: SourceRunner = new SourceRunner({
    spec: { name: 'cam', window, weight: 1, start: seconds(0), patience: seconds(0), admission: terms },
    ...{ deviceName: 'porch', clock, wallTime: wallTime ?? (() => clock.now()), view, sink, availableAt, isLive: true },
    openItems: async () => ({ todo: availableAt === undefined ? live : list, total: 6, away: [] }),
    createPort: () => ({
      read: async ({ name }: Item) => {
        if (away.has(name)) throw new ItemUnavailable(`${name}: there is no such file`)
        if (name === 'bad') throw new UserError('bad: is not an image')
        return []
      },
      stamp: async ({ name }: Item) => {
        if (away.has(name)) throw new ItemUnavailable(`${name}: there is no such file`)
        return { id: '', modified: seconds(0), isFinal: true }
      },
      write: async () => 'answer'
    }),
    submit: (task: DeviceTask) => {
      waiting.add(task.datum)
      lane = lane.then(async () => {
        if (!waiting.delete(task.datum)) return
        await clock.sleep(takes)
        source.delivered({ ...task, tensors: [] })
      })
    },
    cancel: (_: string, datum: number) => waiting.delete(datum),
    settled: (_: number, { name }: Item) => settled.push(name),
    ...{ breaker: new CircuitBreaker(), isHere: () => false, setAside: () => {}, say: () => {} }
  } as unknown as SourceRunnerParts)
  let lane = Promise.resolve()
  const running = source.run(new AbortController().signal, seconds(0))
  const pass = async (duration: number): Promise<void> => {
    for (let passed = 0; passed < duration - 1e-9; passed += 0.05) {
      await clock.advance(seconds(0.05))
      source.tick()
    }
  }
  const outcomes = () =>
    sink.lines.map(line => `${line.item} ${'reason' in line ? line.reason : 'cause' in line ? line.cause : 'result'}`)
  return { live, source, running, pass, outcomes, settled, away, lines: sink.lines }
}

test('data that arrive faster than they are computed: the newest go in, and each has one outcome', async () => {
  const every = (datum: number) => seconds(datum * 0.1)
  const { source, running, pass, outcomes, settled } = computing({ drop: 'oldest' }, seconds(0.3), every)
  await pass(3)
  await running
  expect(outcomes()).toEqual(['0 result', '3 queueFull', '4 queueFull', '1 result', '2 result', '5 result'])
  expect(source.status()).toMatchObject({ state: 'done', completed: 4, dropped: 2, admitted: 6, failed: 0 })
  expect(settled).toHaveLength(6)
})

test('what is not begun by its deadline is dropped; what is under way is finished', async () => {
  const { live, running, pass, outcomes } = computing(
    { deadline: seconds(0.2), queue: 9, drop: 'newest' },
    seconds(0.5)
  )
  await pass(0.1)
  for (const name of ['a', 'b', 'c']) live.put({ name })
  live.end()
  await pass(1)
  await running
  expect(outcomes()).toEqual(['b deadline', 'c deadline', 'a result'])
})

test('where late ones are cancelled, so is what is under way', async () => {
  const { live, running, pass, outcomes } = computing({ deadline: seconds(0.2), late: 'cancel' }, seconds(0.5))
  await pass(0.1)
  live.put({ name: 'a' })
  live.end()
  await pass(1)
  await running
  expect(outcomes()).toEqual(['a deadline'])
})

test('an item that is none has failed, and the others go on', async () => {
  const { live, running, pass, outcomes, source } = computing({ queue: 9 }, seconds(0.1))
  await pass(0.1)
  for (const name of ['a', 'bad', 'c']) live.put({ name })
  live.end()
  await pass(1)
  await running
  expect(outcomes().sort()).toEqual(['a result', 'bad bad: is not an image', 'c result'])
  expect(source.status()).toMatchObject({ completed: 2, failed: 1, noItems: 0 })
})

test('where the clock on the wall jumps, by years and back, nothing is late, early or lost for it', async () => {
  const jumps = [1.7e9, 0, 4e9, 1.7e9, 1.6e9]
  let looked = 0
  const jumping = () => seconds(jumps[looked++ % jumps.length]!)
  const every = (datum: number) => seconds(datum * 0.1)
  const still = computing({ deadline: seconds(0.25) }, seconds(0.2), every)
  const moved = computing({ deadline: seconds(0.25) }, seconds(0.2), every, jumping)
  for (const { pass, running } of [still, moved]) {
    await pass(3)
    await running
  }
  expect(looked).toBeGreaterThan(0)
  expect(moved.outcomes()).toEqual(still.outcomes())
  expect(new Set(still.outcomes().map(outcome => outcome.split(' ')[1]))).toEqual(new Set(['result', 'deadline']))
  const timesOf = ({ lines }: typeof still) => lines.map(line => ('inferenceTime' in line ? line.inferenceTime : 0))
  expect(timesOf(moved)).toEqual(timesOf(still))
  for (const line of moved.lines)
    if ('inferenceTime' in line) expect(line.doneAt! - line.availableAt!).toBeCloseTo(line.inferenceTime, 2)
})

test('an item that was given up has its outcome, also when its file appears later, and the others go on', async () => {
  const { live, running, pass, outcomes, source, away } = computing({ queue: 9 }, seconds(0.1))
  away.add('missing')
  await pass(0.1)
  live.put({ name: 'missing' })
  await pass(1)
  away.clear()
  await pass(12)
  live.put({ name: 'b' })
  live.end()
  await pass(1)
  await running
  expect(outcomes()).toEqual(['missing missing: there is no such file', 'b result'])
  expect(source.status()).toMatchObject({ state: 'done', completed: 1, failed: 1, unavailable: 0 })
})
