import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Bytes, bytes, type Seconds, seconds } from '../../core/units.ts'
import { NoAnswerError, UserError } from '../../core/user-error.ts'
import { parseShapes } from '../../model/parse-shapes.ts'
import type { DeviceLog } from '../../node/device-log.ts'
import { type OpenedDevice, openDevice } from '../../node/open-device.ts'
import type { LogLevel } from '../../runtime/device/log-level.ts'
import { outputSpecsOf } from '../../runtime/device/requests/batch.ts'
import { neededInputs } from '../../runtime/device/requests/fit-request.ts'
import { RequestDesk } from '../../runtime/device/requests/request-desk.ts'
import { RequestError } from '../../runtime/device/requests/request-error.ts'
import { createProviderEngine } from '../../runtime/engine/providers/create-provider-engine.ts'
import { readProviderSettings } from '../../runtime/engine/providers/read-provider-settings.ts'
import { exampleInputs } from '../../runtime/io/example-inputs.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import type { OnnxModel } from '../../runtime/onnx/onnx-model.ts'
import { stateFolderOf } from '../../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import { isPolicyName, POLICIES, POLICY_NAMES } from '../../scheduler/policies.ts'
import type { InferFlags } from '../infer-command.ts'
import { wayToCluster } from '../node/way-to-cluster.ts'
import { parseProviderChoice } from '../parse-provider-choice.ts'
import type { Answerer } from './answerer.ts'

export interface ClusterOptions {
  /** A name in the cluster, or an .onnx file. */
  readonly model: string
  readonly flags: InferFlags
  readonly spec: IoSpec
  readonly timeout: Seconds
}

const LARGEST_BLOCKS = 12
const TICK: Seconds = seconds(0.05)
const NOTHING: Bytes = bytes(0)
/** A placement that leaves something out so long is no passing one. */
const NO_ROOM: Seconds = seconds(5)
const WHAT_TO_DO =
  'A guest carries no blocks. Take a model out (tributary model remove), or compute a file on this machine alone: with --state of a folder where no device runs'

/** Rather than a name in the cluster. */
export const isFile = (model: string): boolean => model.endsWith('.onnx')

/**
 * A device of its own joins, for as long as it takes: with room for nothing, unless it brings the model.
 * @throws UserError where there is no cluster to join; NoAnswerError where the model does not come in time
 */
export const openInCluster = async (options: ClusterOptions): Promise<Answerer> => {
  const { model, flags, timeout } = options
  const isBrought = isFile(model)
  const way = await wayOf(flags, isBrought)
  const folder = stateFolderOf('', await mkdtemp(join(tmpdir(), 'tributary-infer-')))
  const own = isBrought ? ownModel(options, folder.models) : undefined
  const log = quietLog()
  const engine = await engineOf(flags, log)
  const closing: (() => Promise<unknown>)[] = [
    () => rm(folder.path, { recursive: true, force: true }),
    () => engine.stop()
  ]
  const close = async (): Promise<void> => {
    log.isOver = true
    for (const step of closing.splice(0).reverse()) await step()
  }
  try {
    const opened = await openDevice(
      {
        ...{ name: nameHere(), folder, engine, createPolicy: POLICIES[policyOf(flags)] },
        ...{ role: 'guest' as const, listen: [], port: 0, anyPort: false, mdns: false, ...way },
        ...{ memory: isBrought ? bytes(Number.POSITIVE_INFINITY) : NOTHING, models: own === undefined ? [] : [own] }
      },
      log
    )
    closing.push(async () => opened[Symbol.asyncDispose]())
    const desk = deskOf(opened, log)
    closing.push(() => desk.stop())
    await opened.device.start()
    await opened.cluster.announce()
    if (own !== undefined) closing.push(() => opened.device.removeModel(own.name))
    const name = own?.name ?? model
    const shut = opened.cluster.shut.then(error => Promise.reject(error))
    await Promise.race([shut, untilThere(opened, desk, name, timeout)])
    const manifest = desk.model(name)
    return {
      ...{ model: name, inputs: neededInputs(manifest), outputs: outputSpecsOf(manifest) },
      compute: async tensors => {
        const asked = desk.compute({ model: name, tensors, asker: { name: nameHere() }, timeout })
        return (await asked.catch(asNoAnswer)).outputs
      },
      [Symbol.asyncDispose]: close
    }
  } catch (error) {
    await close()
    throw error
  }
}

const engineOf = async ({ provider, providerOptions: file }: InferFlags, { say }: DeviceLog) =>
  createProviderEngine(
    {},
    {
      ...(file === undefined ? {} : { providerSettings: await readProviderSettings(file) }),
      ...{ provider: parseProviderChoice(provider), say }
    }
  )

const nameHere = (): string => `infer-${process.pid}`

const policyOf = ({ policy }: InferFlags) => {
  if (isPolicyName(policy)) return policy
  throw new UserError(`--policy "${policy}" is not known (known: ${POLICY_NAMES.join(', ')})`)
}

/** @param isFile where there is no cluster, one begins here */
const wayOf = async (flags: InferFlags, isFile: boolean) => {
  const way = await wayToCluster(flags)
  if (!('missing' in way)) return way
  if (isFile) return { join: async () => [] }
  throw new UserError(
    `no device runs with ${way.missing}, so there is no cluster that could have the model: name one with --state, --name or --join, or give a URL or an .onnx file`
  )
}

const ownModel = ({ model: file, flags, spec }: ClusterOptions, folder: string): OnnxModel => ({
  ...{ file, folder, maxBlocks: LARGEST_BLOCKS, cutAt: [] },
  name: `${
    basename(file, '.onnx')
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '') || 'model'
  }-${process.pid}`.slice(-63),
  shapes: parseShapes(flags.shape),
  exampleShapes: inputs => new Map(exampleInputs(spec, inputs).map(({ spec: { name }, dims }) => [name, dims]))
})

const deskOf = ({ device, incarnation }: OpenedDevice, log: DeviceLog): RequestDesk =>
  new RequestDesk({
    ...{ device, deviceName: nameHere(), life: `${incarnation}.infer`, clock: systemClock, wallTime },
    say: log.say
  })

const untilThere = async (
  { device }: OpenedDevice,
  desk: RequestDesk,
  model: string,
  timeout: Seconds
): Promise<void> => {
  const until = systemClock.now() + timeout
  let noRoomSince: Seconds | undefined
  for (;;) {
    const manifest = device.view.manifestNamed(model)
    const blocks = manifest === undefined ? undefined : desk.lackOf(manifest)
    const lack = manifest === undefined ? undefined : (blocks?.words ?? desk.lackOfWay(manifest))
    if (manifest !== undefined && lack === undefined) return
    noRoomSince = blocks?.fitsNowhere === true ? (noRoomSince ?? systemClock.now()) : undefined
    if (systemClock.now() - (noRoomSince ?? systemClock.now()) > NO_ROOM)
      throw new NoAnswerError(`the cluster has no room for model "${model}": ${lack}. ${WHAT_TO_DO}`)
    if (systemClock.now() > until) {
      const names = device.view.manifests().map(({ name }) => name)
      throw new NoAnswerError(
        lack !== undefined
          ? `model "${model}" is not ready after ${timeout} s: ${lack}`
          : `model "${model}" is not in the cluster (there: ${names.join(', ') || 'none'}); ${device.status().devices.length - 1} other devices are`
      )
    }
    await systemClock.sleep(TICK)
  }
}

const asNoAnswer = (error: unknown): never => {
  if (error instanceof RequestError) throw new NoAnswerError(error.message, { code: error.problem, cause: error })
  throw error
}

/** Of a device for one job only what somebody should look at is told, and nothing of its end. */
const quietLog = (): DeviceLog & { isOver: boolean } => {
  const log = {
    isOver: false,
    say: (text: string, level?: LogLevel) => {
      if (!log.isOver && (level === 'warn' || level === 'error')) process.stderr.write(`tributary: ${text}\n`)
    },
    event: () => {}
  }
  return log
}
