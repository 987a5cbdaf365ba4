import type { BlockHash } from '../../core/ids.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { createEngine } from '../../runtime/engine/create-engine.ts'
import type { Engine } from '../../runtime/ports/engine.ts'

const WHOLE = 'whole' as BlockHash

/** A whole model on this device alone, in a thread of its own, for as long as no placement of its blocks stands. */
export class LoneModel implements AsyncDisposable {
  readonly inputs: readonly TensorSpec[]
  readonly #engine: Engine

  private constructor(engine: Engine, inputs: readonly TensorSpec[]) {
    this.#engine = engine
    this.inputs = inputs
  }

  /** @throws EngineError where the file is no model that ONNX Runtime opens */
  static async open(file: string, threads: number): Promise<LoneModel> {
    const engine = createEngine({ threads })
    try {
      return new LoneModel(engine, (await engine.load(WHOLE, file)).inputs)
    } catch (error) {
      await engine.stop()
      throw error
    }
  }

  /** The tensors are given away. @throws EngineError */
  async run(tensors: readonly Tensor[]): Promise<readonly Tensor[]> {
    return (await this.#engine.run(WHOLE, tensors)).outputs
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#engine.stop()
  }
}
