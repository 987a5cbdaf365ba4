import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect } from 'vitest'
import { freePort } from '../src/testing/mosquitto.ts'
import { MAIN, type NodeProcess } from '../src/testing/node-process.ts'
import { start } from './started-nodes.ts'

// Clusters whose devices come and go, each a process.

export let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tributary-members-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

let clusters = 0
/** Devices of one cluster, that come back where they were. */
export const cluster = async () => {
  const folder = join(home, `cluster-${clusters++}`)
  const ports = new Map<string, number>()
  const stateOf = (name: string): string => join(folder, name)
  const node = async (name: string, ...flags: string[]): Promise<NodeProcess> => {
    const port = ports.get(name) ?? (await freePort())
    ports.set(name, port)
    const started = start(name, ['--state', stateOf(name), '--listen', `127.0.0.1:${port}`, ...flags])
    await Promise.race([started.event('listening'), started.ended])
    return started
  }
  return { stateOf, node }
}

export const tributary = async (...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args])
  return stdout.trim()
}
export const inviteOf = (state: string, ...terms: string[]): Promise<string> =>
  tributary('invite', '--state', state, ...terms)

export const until = async (holds: () => boolean, what: () => string): Promise<void> => {
  const deadline = performance.now() + 60_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`in vain: ${what()}`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}
export const says = (node: NodeProcess, words: RegExp): Promise<void> =>
  until(
    () => words.test(node.log()),
    () => `${node.name} does not say ${words}:\n${node.log()}`
  )
/** Until it would find them again after a power cut: names come to the disk a moment after devices have met. */
export const keeps = async (state: string, ...names: string[]): Promise<void> => {
  const file = join(state, 'peers.json')
  await expect
    .poll(() => readFile(file, 'utf8').catch(() => ''), { timeout: 60_000 })
    .toSatisfy((text: string) => names.every(name => text.includes(`"${name}"`)))
}
export const meets = (node: NodeProcess, ...names: string[]) =>
  node.status(
    ({ devices }) =>
      devices
        .map(({ name }) => name)
        .sort()
        .join() === [...names].sort().join()
  )
export const end = async (...nodes: NodeProcess[]): Promise<void> => {
  for (const { child } of nodes) child.kill('SIGKILL')
  await Promise.all(nodes.map(({ ended }) => ended))
}
