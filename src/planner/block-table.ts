import type { Bytes } from '../core/units.ts'
import type { CapacityProblem, Carries } from './capacity-problem.ts'
import { type IsUseful, usefulDevices } from './useful-devices.ts'

/** Which device carries which blocks, and what memory is left: what placement searches work on. */
export class BlockTable {
  readonly #problem: CapacityProblem
  readonly #offsets: readonly number[]
  readonly #blocks: number
  readonly #carried: Uint8Array
  readonly #left: Float64Array
  readonly #copies: Uint16Array
  readonly #isUseful: IsUseful

  constructor(problem: CapacityProblem, from?: BlockTable) {
    this.#problem = problem
    this.#isUseful = usefulDevices(problem)
    let blocks = 0
    this.#offsets = problem.models.map(({ work }) => {
      blocks += work.length
      return blocks - work.length
    })
    this.#blocks = blocks
    this.#carried = from === undefined ? new Uint8Array(problem.devices.length * blocks) : from.#carried.slice()
    this.#left = from === undefined ? Float64Array.from(problem.devices, device => device.memory) : from.#left.slice()
    this.#copies = from === undefined ? new Uint16Array(blocks) : from.#copies.slice()
  }

  copy(): BlockTable {
    return new BlockTable(this.#problem, this)
  }

  readonly carries: Carries = (device, model, block) => this.#carried[this.#at(device, model, block)] === 1

  size(model: number, block: number): Bytes {
    return this.#problem.models[model]!.weights[block]!
  }

  left(device: number): number {
    return this.#left[device]!
  }

  copies(model: number, block: number): number {
    return this.#copies[this.#offsets[model]! + block]!
  }

  /** @returns false when there is no room, or nobody who needs it can reach the device and hear from it again */
  put(device: number, model: number, block: number): boolean {
    if (this.carries(device, model, block)) return true
    if (!this.#isUseful(device, model)) return false
    const size = this.size(model, block)
    if (size > this.#left[device]!) return false
    this.#carried[this.#at(device, model, block)] = 1
    this.#left[device]! -= size
    this.#copies[this.#offsets[model]! + block]!++
    return true
  }

  drop(device: number, model: number, block: number): void {
    if (!this.carries(device, model, block)) return
    this.#carried[this.#at(device, model, block)] = 0
    this.#left[device]! += this.size(model, block)
    this.#copies[this.#offsets[model]! + block]!--
  }

  /** [model, block] of what a device carries. */
  *of(device: number): Iterable<readonly [model: number, block: number]> {
    for (const [m, { work }] of this.#problem.models.entries()) {
      for (const k of work.keys()) if (this.carries(device, m, k)) yield [m, k]
    }
  }

  #at(device: number, model: number, block: number): number {
    return device * this.#blocks + this.#offsets[model]! + block
  }
}
