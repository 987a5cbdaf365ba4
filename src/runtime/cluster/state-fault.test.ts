import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { stateFault } from './state-fault.ts'

const fault = (parts: MessageInitShape<typeof DeviceStateSchema>) =>
  stateFault(
    create(DeviceStateSchema, { name: 'shed', speed: 1, ...parts } as MessageInitShape<typeof DeviceStateSchema>)
  )
const link = { to: 'porch', rate: 1e6, latency: 0.001 }
const model = { model: 'net', blocks: [{ block: 0, seconds: 0.01 }], times: [0.01] }

test('a state of a device that there may be is heard', () => {
  expect(fault({})).toBeUndefined()
  expect(fault({ speed: 0.01, links: [link], models: [model] })).toBeUndefined()
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300, 1e-300, -1])('a speed of %d is none', speed => {
  expect(fault({ speed })).toBe(`it has a speed of ${speed}, 1e-9 to 10000 is allowed`)
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300, 1e-300, -1])('a link of %d bytes a second is none', rate => {
  expect(fault({ links: [link, { ...link, rate }] })).toContain(`a rate of a link of ${rate},`)
})

test('latencies and times of blocks that are none', () => {
  for (const odd of [Number.NaN, -1, 1e300]) {
    expect(fault({ links: [{ ...link, latency: odd }] })).toContain(`a latency of a link of ${odd},`)
    expect(fault({ models: [{ ...model, times: [odd] }] })).toContain(`a time of a block of ${odd},`)
    expect(fault({ models: [{ ...model, blocks: [{ block: 0, seconds: odd }] }] })).toContain('a time of a block')
  }
})
