import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { deviceId, modelId } from '../../core/ids.ts'
import { elementCount } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { toyInput, toyModel } from '../../testing/simulated/toy-model.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { TaskSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { DeviceTask } from './device-task.ts'
import { taskFromWire, taskToWire } from './task-codec.ts'

const model = toyModel({ name: 'net', salt: 1, work: [1, 1], weights: [1, 1], length: 4, skips: false })
const { manifest } = model
const home = deviceId('home')

const knowing = (self: string): ClusterView => {
  const view = new ClusterView(deviceId(self), 1)
  view.joined(home)
  view.addManifest(manifest)
  return view
}

const task = (availableAt: Seconds): DeviceTask => ({
  ...{ source: 's@home', datum: 7, attempt: 1, modelId: manifest.id, model: 0, home: 0, homeId: home, weight: 1 },
  ...{
    isBacklogged: false,
    lag: seconds(0),
    served: seconds(0),
    availableAt,
    arrivedAt: availableAt,
    turn: 0,
    done: 0,
    route: [],
    refusals: 0
  },
  tensors: [toyInput(model, 0, 7)]
})

/** Sent at 3 by a clock, it arrives after so long, when the receiver's own clock says 1000.1. */
const arrived = (availableAt: number, takes: number): Seconds => {
  const wire = taskToWire(task(seconds(availableAt)), knowing('a').world, seconds(3 + takes))
  const { tensors } = task(seconds(0))
  const letter = { from: deviceId('a'), task: wire, tensors: tensors as never, report: undefined }
  return taskFromWire(letter, knowing('b'), seconds(1000.1)).availableAt
}

test('a datum is as old when it arrives as it was when it left, and older by its way', () => {
  expect(arrived(1, 0.5)).toBe(seconds(997.6))
})

test('data that were available at one instant still are, whichever way they came', () => {
  const times = [0.1, 0.2, 0.7].map(takes => arrived(1 / 3, takes) + takes)
  expect(new Set(times.map(time => time.toFixed(9))).size).toBe(1)
  expect(arrived(1 / 3, 0.1)).toBe(997.333333)
})

test('how long it was served travels with it; what is no number is refused, and less than nothing is nothing', () => {
  const came = (served: number): Seconds => {
    const wire = taskToWire({ ...task(seconds(0)), served: seconds(served) }, knowing('a').world, seconds(1))
    const { tensors } = task(seconds(0))
    return taskFromWire(
      { from: deviceId('a'), task: wire, tensors: tensors as never, report: undefined },
      knowing('b'),
      seconds(1)
    ).served
  }
  expect([came(0.25), came(-1)]).toEqual([0.25, 0])
  expect(() => came(Number.NaN)).toThrow('is not a number')
})

test('its deadline travels with it, where it has one; one that is none is refused', () => {
  const came = (deadline?: number): Seconds | undefined => {
    const sent = { ...task(seconds(0)), ...(deadline === undefined ? {} : { deadline: seconds(deadline) }) }
    const wire = taskToWire(sent, knowing('a').world, seconds(1))
    const letter = { from: deviceId('a'), task: wire, tensors: sent.tensors as never, report: undefined }
    return taskFromWire(letter, knowing('b'), seconds(1)).deadline
  }
  expect([came(0.5), came()]).toEqual([0.5, undefined])
  for (const none of [0, -1, Number.NaN]) expect(() => came(none)).toThrow(`a deadline of ${none} seconds`)
})

test('a result is refused that is not of the shape that its model declares', () => {
  const view = knowing('home')
  const declared = {
    ...manifest,
    id: modelId('declared'),
    outputSpecs: [{ name: 'x2', type: 'int32' as const, shape: ['n', 4] }]
  }
  view.addManifest(declared)
  const result = (...dims: number[]): DeviceTask => {
    const tensors = [{ name: 'x2', type: 'int32' as const, dims, data: new Uint8Array(4 * elementCount(dims)) }]
    const sent = { ...task(seconds(0)), modelId: declared.id, model: 1, done: 2, tensors }
    const letter = { from: deviceId('a'), task: taskToWire(sent, view.world, seconds(1)), tensors, report: undefined }
    return taskFromWire(letter, view, seconds(1))
  }
  expect(result(3, 4).tensors[0]!.dims).toEqual([3, 4])
  for (const wrong of [[0, 4096], [4], [1, 4, 1]])
    expect(() => result(...wrong)).toThrow(`result "x2" is [${wrong.join(', ')}], net declares it as [n, 4]`)
})

test('what follows it travels with it, in 24 bytes; without, in none; what names no trace is refused', () => {
  const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '00f067aa0ba902b7' }
  const came = (bytes?: Uint8Array<ArrayBuffer>, sent = { ...task(seconds(0)), trace }) => {
    const wire = taskToWire(sent, knowing('a').world, seconds(1))
    const letter = { from: deviceId('a'), tensors: sent.tensors as never, report: undefined }
    return taskFromWire(
      { ...letter, task: bytes === undefined ? wire : { ...wire, trace: bytes } },
      knowing('b'),
      seconds(1)
    )
  }
  expect(came().trace).toEqual(trace)
  expect(taskToWire(task(seconds(0)), knowing('a').world, seconds(1)).trace).toHaveLength(0)
  expect(came(new Uint8Array(0)).trace).toBeUndefined()
  for (const length of [1, 23, 24, 25, 4096])
    expect(() => came(new Uint8Array(length))).toThrow(`a trace of ${length} bytes that names none`)
})

test('how often its route could not be followed travels with it: on the next device it is as patient as it was here', () => {
  const wire = taskToWire({ ...task(seconds(0)), refusals: 5 }, knowing('a').world, seconds(1))
  const letter = { from: deviceId('a'), task: wire, tensors: task(seconds(0)).tensors as never, report: undefined }
  expect(taskFromWire(letter, knowing('b'), seconds(1)).refusals).toBe(5)
})

test('what is written member by member is what the library makes of it, with and without what may be absent', () => {
  const plain = task(seconds(0))
  const full: DeviceTask = {
    ...{ ...plain, deadline: seconds(2), token: Uint8Array.of(1, 2, 3), madeBy: home, keepsRoute: true, inBulk: true },
    route: [{ device: 1, until: 2 }],
    trace: { traceId: '1'.repeat(32), spanId: '2'.repeat(16) }
  }
  for (const one of [plain, full]) {
    const { $typeName: _, ...members } = taskToWire(one, knowing('a').world, seconds(1))
    const bytes = toBinary(TaskSchema, taskToWire(one, knowing('a').world, seconds(1)))
    const made = create(TaskSchema, members)
    expect(bytes).toEqual(toBinary(TaskSchema, made))
    expect(fromBinary(TaskSchema, bytes)).toEqual(made)
  }
})
