import type { EncodingChoice } from '../../core/activation-encoding.ts'
import { createRng } from '../../core/rng.ts'
import type { Scenario, ScenarioSource } from '../../core/scenario.ts'
import type { TensorSpec } from '../../core/tensor.ts'
import { declaredInputs } from '../../model/declared-inputs.ts'
import { type Ends, openWhole } from '../../model/files/open-whole.ts'
import { readOnnxFile } from '../../model/files/read-onnx-file.ts'
import { withDefaults } from '../../model/input-shapes.ts'
import { travels } from '../../model/leading-to.ts'
import type { OpenedModel } from '../../model/open-model.ts'
import { parseShapes } from '../../model/parse-shapes.ts'
import type { EncodingReport } from '../../report/run-report.ts'
import { isElementType } from '../../runtime/engine/ort-tensor.ts'
import { createSyntheticPort } from '../../runtime/io/create-synthetic-port.ts'
import { sampleOf } from '../../runtime/io/sample-of.ts'
import { openModel } from '../../runtime/onnx/open-model.ts'
import type { EmulatedRun } from './emulate-policy.ts'
import type { EmulatedModel } from './emulated-cluster.ts'

export interface EncodingReportParts {
  readonly scenario: Scenario
  readonly models: readonly EmulatedModel[]
  readonly seed: number
  readonly emulated: EmulatedRun
  readonly choice: EncodingChoice
}

/** Of each source, as many data are compared. */
const DATA = 8

/** How far results are off those of the whole model in ONNX Runtime, on the same data. */
export const encodingReport = async (parts: EncodingReportParts): Promise<EncodingReport> => {
  const { scenario, models, emulated, choice } = parts
  const off = { compared: 0, max: 0, sum: 0, largest: 0 }
  // Results of files are what their output says, a text or classes: the elements behind them did not come home.
  for (const source of scenario.sources.filter(({ files }) => files === undefined)) {
    const model = models[source.model]!
    const opened = await openWhole(model.file, await endsOf(model.file), openModel, {})
    try {
      for await (const [expected, got] of pairs(parts, source, model, opened)) {
        const difference = Math.abs(expected - got)
        off.compared++
        off.max = Math.max(off.max, difference)
        off.sum += difference
        off.largest = Math.max(off.largest, Math.abs(expected))
      }
    } finally {
      await opened.close()
    }
  }
  const some = off.compared > 0
  return {
    choice,
    links: emulated.encodings,
    compared: off.compared,
    maxDifference: some ? off.max : null,
    meanDifference: some ? off.sum / off.compared : null,
    largest: some ? off.largest : null
  }
}

/** Those that travel. */
const endsOf = async (path: string): Promise<Ends> => {
  const file = await readOnnxFile(path)
  return {
    inputs: declaredInputs(file).map(({ name }) => name),
    outputs: file.graph.output.filter(travels).map(({ name }) => name)
  }
}

type Samples = Readonly<Record<string, { readonly sample?: readonly number[] }>>

/** Elements of outputs, as the whole model makes them and as they came home. */
async function* pairs(
  { scenario, seed, emulated }: EncodingReportParts,
  { name, device, count }: ScenarioSource,
  model: EmulatedModel,
  opened: OpenedModel
): AsyncGenerator<readonly [number, number]> {
  const inputs = inputsOf(opened, parseShapes(model.shapes))
  if (inputs === undefined) return
  const port = createSyntheticPort(count, inputs, createRng(seed).fork(`data of ${name}`))
  const outputs = opened.outputs.flatMap(output => (isElementType(output.type) ? [output.name] : []))
  const items = await port.list('')
  for (const [datum, item] of items.slice(0, DATA).entries()) {
    const result = emulated.results.get(`${name}@${scenario.devices[device]!.name} ${datum}`)
    if (result === undefined) continue
    const got = JSON.parse(result) as Samples
    for (const tensor of await opened.run(await port.read(item), outputs)) {
      const values = got[tensor.name]?.sample ?? []
      for (const [i, expected] of sampleOf(tensor).entries()) if (values[i] !== undefined) yield [expected, values[i]]
    }
  }
}

/** Undefined where some dimension is not known, so that the same data cannot be made here. */
const inputsOf = (
  { inputs }: OpenedModel,
  shapes: ReadonlyMap<string, readonly number[]>
): readonly TensorSpec[] | undefined => {
  const own = new Map([...shapes].filter(([name]) => inputs.some(input => input.name === name)))
  // As when it was cut.
  const shaped = withDefaults('the model', inputs, own)
  const specs = inputs.flatMap(({ name, type, shape }, i) =>
    isElementType(type) ? [{ name, type, shape: shaped[i]!.shape ?? shape }] : []
  )
  const isKnown = specs.length === inputs.length && specs.every(({ shape }) => shape.every(d => typeof d === 'number'))
  return isKnown ? specs : undefined
}
