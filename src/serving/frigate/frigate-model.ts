import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../../core/clock.ts'
import type { TensorSpec } from '../../core/tensor.ts'
import { type Bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Asker } from '../../runtime/device/requests/asker.ts'
import { neededInputs } from '../../runtime/device/requests/fit-request.ts'
import type { RequestDesk } from '../../runtime/device/requests/request-desk.ts'
import type { ModelRepository } from '../model-repository.ts'
import { ServingError } from '../serving-error.ts'
import { fitPicture } from './fit-picture.ts'
import type { FrigateFamily } from './frigate-families.ts'
import type { Picture } from './frigate-request.ts'
import { hasModel } from './has-model.ts'
import { LoneModel } from './lone-model.ts'
import { writeDetections } from './write-detections.ts'

export interface FrigateModelParts {
  /** The cluster's name for it. */
  readonly name: string
  /** That Frigate brought; undefined: the cluster has it from somebody else. */
  readonly file: string | undefined
  readonly desk: RequestDesk
  readonly repository: ModelRepository
  readonly clock: Clock
  /** That this device has for blocks. */
  readonly memory: Bytes
  readonly threads: number
  readonly say: (text: string, level?: 'warn') => void
}

/** Frigate has given up by then, whatever it was set to. */
const TIMEOUT: Seconds = seconds(10)
/** After a placement that failed the next one is tried so much later. */
const AGAIN: Seconds = seconds(60)
const TICK: Seconds = seconds(0.1)
/** That may wait for this device alone. */
const MOST_WAITING = 64

/** A model of Frigate's: answered by the cluster where its blocks stand, and by this device alone until then. */
export class FrigateModel implements AsyncDisposable {
  readonly name: string
  readonly #parts: FrigateModelParts
  #lone: Promise<LoneModel> | undefined
  #waiting = 0
  /** The blocks of this file, and not of another of its name, are those that the cluster has. */
  #isPlaced: boolean
  #placing: Promise<void> | undefined
  #placeAfter: Seconds = seconds(0)
  #isOver = false

  constructor(parts: FrigateModelParts) {
    this.#parts = parts
    this.name = parts.name
    this.#isPlaced = parts.file === undefined
  }

  /** By Frigate, and not by another of the cluster. */
  get isBrought(): boolean {
    return this.#parts.file !== undefined
  }

  /** Resolves when there is an answer to give. @throws EngineError where the file is no model; ServingError */
  async untilReady(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    while (!this.#standsInCluster()) {
      if (await this.#fitsHere()) {
        const { inputs } = await this.#openLone()
        this.#place(shapesKnown(inputs))
        return
      }
      this.#place(new Map())
      await clock.sleep(TICK, { signal })
    }
  }

  /** @throws ServingError, EngineError, RequestError */
  async detect(picture: Picture, family: FrigateFamily, asker: Asker): Promise<Buffer> {
    if (this.#standsInCluster()) return this.#inCluster(picture, family, asker)
    if (!(await this.#fitsHere()))
      throw new ServingError('notReady', `model "${this.name}" is not placed, and too large for this device alone`)
    return this.#here(picture, family)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#closeLone()
  }

  #standsInCluster(): boolean {
    const { desk, name, file } = this.#parts
    // Taken out of the cluster: as long as Frigate asks for it, it comes back.
    if (!hasModel(desk, name)) this.#isPlaced = false
    else if (file === undefined) this.#isPlaced = true
    return this.#isPlaced && desk.lackOf(desk.model(name)) === undefined
  }

  async #inCluster(picture: Picture, family: FrigateFamily, asker: Asker): Promise<Buffer> {
    void this.#closeLone()
    const { desk, name } = this.#parts
    const { tensors, size } = fitPicture(neededInputs(desk.model(name)), picture)
    const { outputs } = await desk.compute({ model: name, tensors, asker, timeout: TIMEOUT })
    return writeDetections(outputs, family, size)
  }

  async #here(picture: Picture, family: FrigateFamily): Promise<Buffer> {
    if (this.#waiting >= MOST_WAITING)
      throw new ServingError('queueFull', `${MOST_WAITING} pictures wait for model "${this.name}" here already`)
    this.#waiting++
    try {
      const lone = await this.#openLone()
      const { tensors, size } = fitPicture(lone.inputs, picture)
      this.#place(new Map(tensors.map(({ name, dims }) => [name, dims])))
      return writeDetections(await lone.run(tensors), family, size)
    } finally {
      this.#waiting--
    }
  }

  async #fitsHere(): Promise<boolean> {
    const { file, memory } = this.#parts
    return file !== undefined && (await stat(file)).size <= memory
  }

  #openLone(): Promise<LoneModel> {
    if (this.#lone !== undefined) return this.#lone
    if (this.#isOver) throw new ServingError('stopped', 'this device is being stopped')
    const opened = LoneModel.open(this.#parts.file!, this.#parts.threads)
    this.#lone = opened
    opened.catch(() => {
      if (this.#lone === opened) this.#lone = undefined
    })
    return opened
  }

  /** What runs on it is answered first. */
  async #closeLone(): Promise<void> {
    if (this.#lone === undefined || (this.#waiting > 0 && !this.#isOver)) return
    const lone = this.#lone
    this.#lone = undefined
    await lone.then(
      opened => opened[Symbol.asyncDispose](),
      () => {} // it was never open
    )
  }

  /** Cut and placed, while this device answers. @param shapes of all inputs; undefined: they are not known yet */
  #place(shapes: ReadonlyMap<string, readonly number[]> | undefined): void {
    const { file, clock } = this.#parts
    const isDue = clock.now() >= this.#placeAfter
    if (file === undefined || shapes === undefined || this.#isPlaced || this.#placing !== undefined || !isDue) return
    this.#placing = this.#load(file, shapes).finally(() => {
      this.#placing = undefined
    })
  }

  async #load(file: string, shapes: ReadonlyMap<string, readonly number[]>): Promise<void> {
    const { repository, name, clock, say } = this.#parts
    try {
      const input = [...shapes].map(([input, dims]) => ({ name: input, dims }))
      const config = input.length === 0 ? undefined : JSON.stringify({ input })
      await repository.load(name, { file: await readFile(file), config })
      this.#isPlaced = true
      say(`model ${name} of Frigate is placed`)
    } catch (error) {
      if (this.#isOver) return
      this.#placeAfter = seconds(clock.now() + AGAIN)
      say(`model ${name} of Frigate is answered by this device alone: ${(error as Error).message}`, 'warn')
    }
  }
}

/** The first dimension is a batch, and Frigate's are of one; undefined where others are open too. */
const shapesKnown = (inputs: readonly TensorSpec[]): ReadonlyMap<string, readonly number[]> | undefined => {
  const known = inputs.map(({ name, shape }) => [name, shape.map((d, i) => (typeof d !== 'number' && i === 0 ? 1 : d))])
  const isKnown = known.every(([, shape]) => (shape as unknown[]).every(d => typeof d === 'number'))
  return isKnown ? new Map(known as [string, number[]][]) : undefined
}
