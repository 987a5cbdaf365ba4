import { ON_ARRIVAL } from '../../cluster/source-book.ts'
import { type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import type { Step } from '../../scheduler/policy.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import { MisfitError } from '../cluster/misfit-error.ts'
import type { Task, Step as WireStep } from '../generated/tributary/v1/wire_pb.ts'
import type { ArrivedTask } from '../ports/network.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'
import type { DeviceTask } from './device-task.ts'
import { traceFromWire, traceToWire } from './trace-codec.ts'

const MAX_ROUTE = 4096
const MAX_SOURCE_NAME = 256
/** Bytes. */
const MAX_TOKEN = 64

/** Data that were available at one instant still are where they have gone different ways: what is left is noise of the arithmetic. */
const microseconds = (time: number): Seconds => seconds(Math.round(1e6 * time) / 1e6)

/** @param arrives when it is expected to be there: clocks differ, so its age then is what travels, and the way makes it older */
export const taskToWire = (task: DeviceTask, world: World, arrives: Seconds): Task => {
  // A literal with all members: to have the library fill in what is absent takes as long as to encode it.
  const wire: Task = {
    $typeName: 'tributary.v1.Task',
    source: task.source,
    datum: BigInt(task.datum),
    model: task.modelId,
    home: task.homeId,
    done: task.done,
    route: task.route.map(step => stepToWire(step, world)),
    age: Math.max(0, arrives - task.availableAt),
    lag: task.lag,
    served: task.served,
    weight: task.weight,
    attempt: task.attempt,
    token: (task.token ?? NO_TOKEN) as Uint8Array<ArrayBuffer>,
    madeBy: task.madeBy ?? '',
    keepsRoute: task.keepsRoute === true,
    refusals: task.refusals,
    inBulk: task.inBulk === true,
    trace: traceToWire(task.trace),
    shown: 0n
  }
  if (task.deadline !== undefined) wire.deadline = task.deadline
  return wire
}

const NO_TOKEN = new Uint8Array(0)

const stepToWire = ({ device, until }: Step, world: World): WireStep => ({
  $typeName: 'tributary.v1.Step',
  device: world.devices[device]!.id,
  until
})

/**
 * A task from the network, checked against the model it names: known model, blocks in range, exactly the tensors of its
 * activation with their types. Devices that this one does not know become steps that cannot be followed.
 * @throws Error in words for the sender; the task is refused with it. MisfitError where whoever sent it is to blame
 */
export const taskFromWire = (arrived: ArrivedTask, view: ClusterView, now: Seconds): DeviceTask => {
  const { task, tensors } = arrived
  const { deadline } = task
  const model = modelId(task.model)
  const manifest = view.manifest(model)
  const modelIndex = view.world.modelIndex(model)
  if (manifest === undefined || modelIndex === undefined)
    throw new Error(`model ${task.model.slice(0, 64)} is not known here`)
  if (view.models.isGone(model)) throw new Error(`model ${manifest.name} has left the cluster`)
  const home = view.world.deviceIndex(deviceId(task.home))
  if (home === undefined) throw new Error(`home ${task.home.slice(0, 64)} is not known here`)
  if (task.done > manifest.blocks.length)
    throw new MisfitError(`${task.done} blocks done of a model of ${manifest.blocks.length}`)
  if (task.route.length > MAX_ROUTE || task.source.length > MAX_SOURCE_NAME)
    throw new MisfitError('route or source name too long')
  if (![task.age, task.weight, task.lag, task.served].every(Number.isFinite) || task.age < 0)
    throw new MisfitError('age, weight, lag or served is not a number')
  if (deadline !== undefined && !(deadline > 0)) throw new MisfitError(`a deadline of ${deadline} seconds`)
  if (task.route.some(({ until }) => until > manifest.blocks.length))
    throw new MisfitError(`a route beyond the ${manifest.blocks.length} blocks of its model`)
  if (task.token.length > MAX_TOKEN) throw new MisfitError('its token is too long')
  checkTensors(manifest, task.done, tensors)
  // Without spreads: a literal that begins with one is made member by member, at fifty times the time and a hundred times the size.
  const made: Made = {
    isBacklogged: ON_ARRIVAL.isBacklogged,
    turn: ON_ARRIVAL.turn,
    source: task.source,
    datum: Number(task.datum),
    attempt: task.attempt,
    modelId: model,
    model: modelIndex,
    home,
    homeId: deviceId(task.home),
    weight: task.weight,
    lag: seconds(task.lag),
    served: seconds(Math.max(0, task.served)),
    availableAt: microseconds(now - task.age),
    arrivedAt: now,
    done: task.done,
    route: knownSteps(task, view.world),
    keepsRoute: task.keepsRoute,
    refusals: task.refusals,
    ...(task.inBulk ? { inBulk: true } : {}),
    tensors,
    token: task.token,
    madeBy: makerOf(arrived),
    sentBy: answersFor(arrived),
    from: arrived.from
  }
  if (deadline !== undefined) made.deadline = seconds(deadline)
  if (task.trace.length > 0) made.trace = traceFromWire(task.trace)
  return made
}

type Made = { -readonly [Key in keyof DeviceTask]: DeviceTask[Key] }

/** Who is to blame where the tensors are no activation: of who made them only the sender's word is known. */
export const answersFor = ({ task, from }: ArrivedTask): DeviceId | undefined => (task.done === 0 ? undefined : from)

/** Whose work the tensors are, as the sender says; undefined: the source's own. */
const makerOf = ({ task, from }: ArrivedTask): DeviceId | undefined => {
  if (task.done === 0) return undefined
  return task.madeBy === '' ? from : deviceId(task.madeBy)
}

/** The route up to the first device that is not known here; the rest is decided when the task gets there. */
const knownSteps = (task: Task, world: World): readonly Step[] => {
  const steps: Step[] = []
  for (const { device, until } of task.route) {
    const index = world.deviceIndex(deviceId(device))
    if (index === undefined) break
    steps.push({ device: index, until })
  }
  return steps
}

const checkTensors = (manifest: ModelManifest, done: number, tensors: readonly WireTensor[]): void => {
  const expected = manifest.activations[done]!.tensors
  for (const [i, { name, type }] of expected.entries()) {
    const tensor = tensors[i]?.name === name ? tensors[i] : tensors.find(tensor => tensor.name === name)
    if (tensor === undefined) throw new MisfitError(`activation ${done} of ${manifest.name} needs the tensor "${name}"`)
    const has = tensor.type === 'encoded' ? 'float32' : tensor.type
    if (has !== type) throw new MisfitError(`tensor "${name}" is ${has}, ${manifest.name} has it as ${type}`)
    if (tensor.type === 'encoded' && done === manifest.blocks.length)
      throw new MisfitError(`result "${name}" is encoded`)
    if (done === manifest.blocks.length) checkShape(manifest, tensor)
  }
  if (tensors.length !== expected.length) {
    throw new MisfitError(
      `activation ${done} of ${manifest.name} has ${expected.length} tensors, ${tensors.length} arrived`
    )
  }
}

/** Of a result: the sizes that its model's file fixes. A declared shape without dimensions may be anything. */
const checkShape = ({ name: model, outputSpecs = [] }: ModelManifest, { name, dims }: WireTensor): void => {
  const shape = outputSpecs.find(spec => spec.name === name)?.shape ?? []
  if (shape.length === 0) return
  const isLike = (size: number | string | null, i: number): boolean => typeof size !== 'number' || size === dims[i]
  if (shape.length === dims.length && shape.every(isLike)) return
  const declared = shape.map(size => size ?? '?').join(', ')
  throw new MisfitError(`result "${name}" is [${dims.join(', ')}], ${model} declares it as [${declared}]`)
}
