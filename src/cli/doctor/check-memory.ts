import { readFile } from 'node:fs/promises'
import { freemem, totalmem } from 'node:os'
import { formatBytes } from '../../core/format-quantity.ts'
import type { Finding } from './finding.ts'

export interface MemoryFacts {
  readonly total: number
  readonly free: number
  /** Of a control group: what a container or a service may have; 0 where nothing limits it. */
  readonly limit: number
  /** What is asked for blocks; Infinity where that is not limited. */
  readonly blocks: number
}

/** An idle device has some 95 MB, one that cuts and computes a small model 220 MB (docs/runtime.md). */
const IDLE = 128 * 2 ** 20
const LEAST = 256 * 2 ** 20

export const memoryHere = (blocks: number): MemoryFacts => ({
  total: totalmem(),
  free: freemem(),
  limit: process.constrainedMemory?.() ?? 0,
  blocks
})

export const checkMemory = ({ total, free, limit, blocks }: MemoryFacts): Finding => {
  const check = 'memory'
  const isLimited = limit > 0 && limit < total
  const most = isLimited ? limit : total
  const found = `${formatBytes(free)} free of ${formatBytes(total)}${isLimited ? `, limited to ${formatBytes(limit)}` : ''}`
  const allow = isLimited ? 'raise the limit of its container or service' : 'use a machine with more'
  if (most < LEAST)
    return { check, state: 'todo', found, remedy: `a device needs ${formatBytes(LEAST)} at least: ${allow}` }
  if (Number.isFinite(blocks) && blocks + IDLE > most)
    return {
      check,
      state: 'todo',
      found: `${found}; ${formatBytes(blocks)} for blocks and ${formatBytes(IDLE)} for the device do not fit`,
      remedy: `give less to blocks (--memory), or ${allow}`
    }
  if (!Number.isFinite(blocks) && isLimited)
    return {
      check,
      state: 'note',
      found: `${found}, and a device that is not told a limit takes what it is given`,
      remedy: `--memory ${formatBytes(most - IDLE).replace(' ', '')} keeps blocks within it`
    }
  return { check, state: 'ok', found }
}

/** Connections, blocks and sinks are open files. */
const LEAST_FILES = 1024

/** @param limits the system's words; where there are none, as on other systems than Linux, nothing is found */
export const checkOpenFiles = async (
  limits = readFile('/proc/self/limits', 'utf8').catch(() => '')
): Promise<readonly Finding[]> => {
  const most = /^Max open files\s+(\d+)/m.exec(await limits)?.[1]
  if (most === undefined) return []
  const found = `${most} at once`
  const isEnough = Number(most) >= LEAST_FILES
  const remedy = `ulimit -n ${LEAST_FILES} before it starts, or LimitNOFILE=${LEAST_FILES} in its unit`
  return [{ check: 'open files', found, ...(isEnough ? { state: 'ok' } : { state: 'todo', remedy }) }]
}
