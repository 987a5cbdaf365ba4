import { expect, test } from 'vitest'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import { deviceId, modelId } from '../../core/ids.ts'
import type { Tensor } from '../../core/tensor.ts'
import { megabitsPerSecond, seconds } from '../../core/units.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'
import type { DeviceTask } from './device-task.ts'
import { LinkEncodings } from './link-encodings.ts'

const peer = deviceId('shed')
const BLOCKS = 3

/** Codecs take half a nanosecond a byte each way on a clock that ticks when it is asked. */
const tick = (): (() => number) => {
  let now = 0
  return () => {
    now += 2 ** 15 * 1e-9
    return now
  }
}

const encodings = (choice: EncodingChoice): LinkEncodings => new LinkEncodings(choice, tick())

const floats = (count = 1 << 14): Tensor => ({
  name: 'x',
  type: 'float32',
  dims: [count],
  data: new Uint8Array(Float32Array.from({ length: count }, (_, i) => Math.sin(i)).buffer)
})
const whole = (size: number): Tensor => ({ name: 'i', type: 'uint8', dims: [size], data: new Uint8Array(size) })

const task = (tensors: readonly WireTensor[], done = 1): DeviceTask => ({
  ...{ source: 'cam', datum: 0, attempt: 1, modelId: modelId('m'), model: 0, home: 0, homeId: deviceId('porch') },
  ...{
    weight: 1,
    isBacklogged: false,
    lag: seconds(0),
    served: seconds(0),
    availableAt: seconds(0),
    arrivedAt: seconds(0),
    turn: 0
  },
  ...{ route: [], refusals: 0, done, tensors }
})

const kinds = (tensors: readonly WireTensor[]): string[] =>
  tensors.map(tensor => (tensor.type === 'encoded' ? tensor.encoding : tensor.type))

test('off unless asked for: rates and tensors are what they were', () => {
  const off = encodings('fp32')
  const { tensors } = task([floats(), whole(3)])
  expect(off.choose(peer, megabitsPerSecond(5))).toBe(megabitsPerSecond(5))
  expect(off.encode(peer, task(tensors), BLOCKS)).toBe(tensors)
})

test('auto: a link of 10 Gbit/s stays exact, one of 5 Mbit/s carries nearly four times as much', () => {
  const auto = encodings('auto')
  expect(auto.encodingTo(peer)).toBe('fp32')
  expect(auto.choose(peer, megabitsPerSecond(10_000))).toBe(megabitsPerSecond(10_000))
  expect(kinds(auto.encode(peer, task([floats()]), BLOCKS))).toEqual(['float32'])
  expect(auto.choose(peer, megabitsPerSecond(5)) / megabitsPerSecond(5)).toBeCloseTo(4, 1)
  expect(auto.encodingTo(peer)).toBe('int8')
  expect(kinds(auto.encode(peer, task([floats(), whole(3)]), BLOCKS))).toEqual(['int8', 'uint8'])
  auto.choose(peer, megabitsPerSecond(10_000))
  expect(auto.encodingTo(peer)).toBe('fp32')
})

test('what is asked for is used from the first datum; results go home as they are', () => {
  const half = encodings('fp16')
  expect(half.encodingTo(peer)).toBe('fp16')
  expect(kinds(half.encode(peer, task([floats()], 0), BLOCKS))).toEqual(['fp16'])
  expect(kinds(half.encode(peer, task([floats()], BLOCKS), BLOCKS))).toEqual(['float32'])
})

test('what came encoded goes on as it is, unless the next link wants it smaller', () => {
  const half = encodings('fp16').encode(peer, task([floats()]), BLOCKS)
  const code = encodings('int8').encode(peer, task([floats()]), BLOCKS)
  expect(encodings('auto').encode(peer, task(code), BLOCKS)).toBe(code)
  expect(encodings('fp16').encode(peer, task(code), BLOCKS)).toEqual(code)
  expect(kinds(encodings('int8').encode(peer, task(half), BLOCKS))).toEqual(['int8'])
  expect(kinds(encodings('fp32').decode(code))).toEqual(['float32'])
})

test('what cannot be encoded is not counted on: the rate follows what really travels', () => {
  const int8 = encodings('int8')
  const rate = megabitsPerSecond(5)
  for (let datum = 0; datum < 100; datum++) int8.encode(peer, task([floats(1 << 13), whole(1 << 15)]), BLOCKS)
  expect(int8.choose(peer, rate) / rate).toBeCloseTo(1 / (0.5 + 0.5 / 4), 1)
})
