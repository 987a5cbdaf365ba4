import { TensorProto_DataType as T } from 'onnx-buf'
import { expect, test } from 'vitest'
import { createRng, type Rng } from '../core/rng.ts'
import { openModel } from '../runtime/onnx/open-model.ts'
import { chainDiffers, none, save } from '../testing/cut-everywhere.ts'
import { bytesOf, int, int64s, ints, type ModelParts, node, value, type Weights } from '../testing/onnx-builder.ts'
import { studyModel } from './files/study-model.ts'

const CHANNELS = 8
const scales = (name: string, size: number): Weights => ({
  name,
  dataType: T.FLOAT,
  dims: [BigInt(CHANNELS)],
  floatData: Array.from({ length: CHANNELS }, (_, i) => size * (1 + i / 10))
})

/** A network in QDQ form: residual, gated, pooled and joined blocks, as quantisers write them. */
class Network {
  readonly nodes: ReturnType<typeof node>[] = []
  readonly weights: Weights[]
  readonly #rng: Rng
  #names = 0

  constructor(rng: Rng, isSigned: boolean) {
    this.#rng = rng
    const type = isSigned ? T.INT8 : T.UINT8
    this.weights = [
      { name: 'step', dataType: T.FLOAT, dims: [], floatData: [0.05] },
      bytesOf('zero', type, [isSigned ? 3 : 110], []),
      bytesOf('least', type, [isSigned ? -128 : 0], []),
      scales('steps', 0.01),
      scales('biasSteps', 0.0005),
      bytesOf(
        'zeros',
        T.INT8,
        Array.from({ length: CHANNELS }, () => 0)
      ),
      ...[
        ['axis', 1],
        ['from', 4],
        ['to', 12]
      ].map(([name, held]) => int64s(name as string, [held as number]))
    ]
  }

  op(opType: string, input: readonly string[], attributes: Parameters<typeof node>[3] = []): string {
    const output = `t${this.#names++}`
    this.nodes.push(node(opType, input, [output], attributes))
    return output
  }

  quantised(input: string, zero = 'zero'): string {
    return this.op('DequantizeLinear', [this.op('QuantizeLinear', [input, 'step', zero]), 'step', zero])
  }

  conv(input: string): string {
    const [name, bias] = [`w${this.#names++}`, `b${this.#names++}`]
    const random = (count: number, size: number) =>
      Array.from({ length: count }, () => Math.floor((this.#rng.next() - 0.5) * size))
    this.weights.push(bytesOf(name, T.INT8, random(CHANNELS * CHANNELS * 9, 40), [CHANNELS, CHANNELS, 3, 3]), {
      name: bias,
      dataType: T.INT32,
      dims: [BigInt(CHANNELS)],
      int32Data: random(CHANNELS, 100)
    })
    const weight = this.op('DequantizeLinear', [name, 'steps', 'zeros'], [int('axis', 0)])
    const added = this.op('DequantizeLinear', [bias, 'biasSteps'], [int('axis', 0)])
    return this.op('Conv', [input, weight, added], [ints('pads', [1, 1, 1, 1])])
  }

  block(x: string): string {
    switch (Math.floor(this.#rng.next() * 5)) {
      case 0: {
        const first = this.quantised(this.op('Relu', [this.conv(x)]), 'least')
        return this.quantised(this.op('Relu', [this.op('Add', [this.quantised(this.conv(first)), x])]))
      }
      case 1:
        return this.quantised(this.op('MaxPool', [x], [ints('kernel_shape', [3, 3]), ints('pads', [1, 1, 1, 1])]))
      case 2: {
        const made = this.quantised(this.conv(x))
        return this.quantised(this.op('Mul', [made, this.quantised(this.op('Sigmoid', [made]))]))
      }
      case 3: {
        const halves = [this.quantised(this.conv(x)), this.quantised(this.conv(x))]
        const joined = this.quantised(this.op('Concat', halves, [int('axis', 1)]))
        return this.quantised(this.op('Slice', [joined, 'from', 'to', 'axis']))
      }
      default:
        return this.quantised(this.conv(this.op('Relu', [this.conv(x)])))
    }
  }
}

const networkOf = (seed: string, isSigned: boolean): ModelParts => {
  const network = new Network(createRng(seed), isSigned)
  let x = network.quantised('x')
  for (let i = 0; i < 4; i++) x = network.block(x)
  network.nodes.push(node('Neg', [x], ['y']))
  const image = [1, CHANNELS, 6, 6]
  const { nodes, weights } = network
  return { nodes, weights, inputs: [value('x', T.FLOAT, image)], outputs: [value('y', T.FLOAT, image)] }
}

for (const isSigned of [false, true]) {
  const kind = isSigned ? 'signed' : 'unsigned'
  test(`networks in QDQ form with ${kind} activations: every good cut, and all of them at once, change no bit`, async () => {
    for (let i = 0; i < 8; i++) {
      const model = await studyModel(save(networkOf(`${kind} ${i}`, isSigned)), none, openModel)
      const all = model.cutPoints.map((_, k) => k)
      expect(all.length).toBeGreaterThan(3)
      const types = model.cutPoints.flatMap(c => c.tensors.map(name => model.facts.of(name).type))
      expect(types).toContain(isSigned ? 'int8' : 'uint8')
      for (const cuts of [...all.map(k => [k]), all])
        expect(await chainDiffers(model, cuts), `${i}: cut at ${cuts}`).toBe(0)
    }
  })
}
