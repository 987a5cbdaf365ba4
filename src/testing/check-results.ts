import type { EmulatedModel } from '../cli/emulate/emulated-cluster.ts'
import { createRng } from '../core/rng.ts'
import type { Scenario } from '../core/scenario.ts'
import { createSyntheticPort } from '../runtime/io/create-synthetic-port.ts'
import { openModel } from '../runtime/onnx/open-model.ts'

export interface CheckResultsParts {
  readonly scenario: Scenario
  readonly models: readonly EmulatedModel[]
  readonly seed: number
  /** By source and datum, as emulated runs tell them. */
  readonly results: ReadonlyMap<string, string>
  /** Each so manieth datum of a source. */
  readonly each: number
}

/** Compare results of made-up data with those of the whole model, run here, bit by bit. */
export const checkResults = async ({ scenario, models, seed, results, each }: CheckResultsParts) => {
  let checked = 0
  let wrong = 0
  for (const { name, device, count, model } of scenario.sources) {
    const opened = await openModel(models[model]!.file)
    const inputs = opened.inputs.map(input => ({ name: input.name, type: 'float32' as const, shape: input.shape }))
    const port = createSyntheticPort(count, inputs, createRng(seed).fork(`data of ${name}`))
    for (const [datum, item] of (await port.list('')).entries()) {
      if (datum % each !== 0) continue
      const expected = await port.write(item, await opened.run(await port.read(item)))
      checked++
      if (results.get(`${name}@${scenario.devices[device]!.name} ${datum}`) !== JSON.stringify(expected)) wrong++
    }
    await opened.close()
  }
  return { checked, wrong }
}
