import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import type { Arrivals } from '../../core/scenario.ts'
import { seconds } from '../../core/units.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { sourcesFromWire, sourceToWire } from './source-codec.ts'

const sent = (...arrivals: Arrivals[]) => {
  const state = create(DeviceStateSchema, { sources: arrivals.map(each => sourceToWire('net', each)) })
  return sourcesFromWire(fromBinary(DeviceStateSchema, toBinary(DeviceStateSchema, state)))
}

test('a source says at which rate its data come, or none where it is saturated', () => {
  const sources = sent({ kind: 'saturated' }, { kind: 'poisson', rate: 5 }, { kind: 'every', interval: seconds(0.25) })
  expect(sources).toEqual([
    { model: 'net', rate: undefined },
    { model: 'net', rate: 5 },
    { model: 'net', rate: 4 }
  ])
})

test('a rate that is none is not planned with, and nobody has sources without end', () => {
  for (const rate of [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e-300, 1e300])
    expect(sent({ kind: 'poisson', rate })).toEqual([{ model: 'net', rate: undefined }])
  expect(sent(...new Array<Arrivals>(1001).fill({ kind: 'saturated' }))).toHaveLength(1000)
})
