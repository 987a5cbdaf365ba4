import { expect, test } from 'vitest'
import type { NodeConfig } from '../config/load-node-config.ts'
import { describeReload } from './describe-reload.ts'
import { refuseFixed } from './refuse-fixed.ts'

const config = (flags: Record<string, unknown>): NodeConfig =>
  ({ flags, origin: { place: (flag: string) => (flag === 'memory' ? 'node.yaml:3' : undefined) } }) as never

test('what a running device cannot change is refused, each with its place; sources, sinks and models may change', () => {
  const before = config({ port: '4001', listen: [], source: ['a=synthetic:1'], cutAt: [] })
  const after = config({ port: '4002', memory: '64MiB', listen: [], source: [], cutAt: ['r=x'] })
  expect(() => refuseFixed(before, after)).toThrow(
    '--port: port is 4001 and becomes 4002 only with a restart\nnode.yaml:3: memory is not given and becomes 64MiB only with a restart'
  )
  expect(() => refuseFixed(before, config({ ...before.flags, model: ['x.onnx'], preset: 'raw' }))).not.toThrow()
})

test('what a reload has changed is told in a line', () => {
  const none = { added: [], changed: [], removed: [] }
  expect(describeReload({ models: none, sources: { ...none, weighed: [] }, sinks: none })).toBe('nothing has changed')
  const sources = { added: ['a', 'b'], changed: [], removed: ['c'], weighed: ['d'] }
  expect(
    describeReload({ models: { ...none, changed: ['m'] }, sources, sinks: { added: [], removed: ['x.jsonl'] } })
  ).toBe('model m changed; sources a, b added; source c removed; source d weighed; sink x.jsonl removed')
})
