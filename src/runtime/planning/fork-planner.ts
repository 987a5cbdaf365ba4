import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { forkApart } from '../fork-apart.ts'

/** A planner's process, which waits for its question. A device that stops does not wait for it. */
export const forkPlanner = (): ChildProcess => {
  // Problems and placements are made of maps, and memory can be Infinity.
  const child = forkApart(script(), [], { serialization: 'advanced', execArgv: SPARING })
  child.unref()
  child.channel?.unref()
  return child
}

/**
 * A plan is mostly the solver's code being compiled: only what turns out to run for long is worth the optimizing compiler
 * (half the processor time of a small plan, and nothing lost for a large one).
 */
const SPARING = ['--wasm-tiering-budget=100000000']

/** Node runs the built file; tests run the sources and take it from the build. */
const script = (): URL => {
  const compiled = new URL('./plan-process.js', import.meta.url)
  const built = new URL('../../../dist/src/runtime/planning/plan-process.js', import.meta.url)
  return existsSync(compiled) ? compiled : built
}
