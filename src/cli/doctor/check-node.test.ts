import { expect, test } from 'vitest'
import { checkNode } from './check-node.ts'

test.each([
  ['20.18.3', 'todo'],
  ['20.19.0', 'ok'],
  ['18.20.4', 'todo'],
  ['22.1.0', 'ok']
])('Node.js %s', async (version, state) => {
  expect((await checkNode(version)).state).toBe(state)
})
