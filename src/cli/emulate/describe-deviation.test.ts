import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import type { PolicyRun } from '../../report/run-report.ts'
import { describeDeviation } from './describe-deviation.ts'

const run = (throughput: number, time: number): PolicyRun => ({
  policy: 'ddi',
  seed: 1,
  emulated: true,
  makespan: 1,
  throughput,
  sources: [
    {
      name: 'cam',
      admitted: 4,
      completed: Number.isNaN(time) ? 0 : 4,
      dropped: 0,
      lost: 0,
      rate: throughput,
      inferenceTime: { mean: seconds(time), p50: seconds(time), p95: seconds(time), p99: seconds(time) }
    }
  ],
  devices: [],
  links: []
})

test('how far an emulated run is from the simulated one', () => {
  const lines = describeDeviation([run(9, 0.22)], [run(10, 0.2)]).split('\n')
  expect(lines[2]).toMatch(/throughput +9.00\/s +10.0\/s +-10.0 %/)
  expect(lines[3]).toMatch(/cam, mean time +220 ms +200 ms +\+10.0 %/)
})

test('a run without results is compared without numbers that are none', () => {
  const text = describeDeviation([run(0, Number.NaN)], [run(0, Number.NaN)])
  expect(text).not.toContain('NaN')
  expect(text).toMatch(/cam, mean time +- +- +-/)
})
