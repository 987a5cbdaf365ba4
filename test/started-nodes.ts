import { afterEach } from 'vitest'
import { type NodeProcess, startNode } from '../src/testing/node-process.ts'

const alive: NodeProcess[] = []

afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL')
  await Promise.all(alive.splice(0).map(node => node.ended))
})

/** A device as a process of its own, which ends with the test at the latest. */
export const start = (name: string, flags: readonly string[], environment: NodeJS.ProcessEnv = {}): NodeProcess => {
  const node = startNode(name, flags, environment)
  alive.push(node)
  return node
}
