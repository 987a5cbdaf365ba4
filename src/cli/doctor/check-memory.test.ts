import { expect, test } from 'vitest'
import { checkMemory, checkOpenFiles } from './check-memory.ts'

const MiB = 2 ** 20
const facts = { total: 4096 * MiB, free: 2048 * MiB, limit: 0, blocks: Number.POSITIVE_INFINITY }

test.each([
  ['enough, and no limit', {}, 'ok', undefined],
  ['a limit that is none: as large as the machine', { limit: 2 ** 63 }, 'ok', undefined],
  ['a small container', { limit: 200 * MiB }, 'todo', /256 MiB at least: raise the limit/],
  ['a small machine', { total: 128 * MiB }, 'todo', /use a machine with more/],
  ['blocks that do not fit', { limit: 512 * MiB, blocks: 400 * MiB }, 'todo', /give less to blocks/],
  ['blocks that fit', { limit: 512 * MiB, blocks: 256 * MiB }, 'ok', undefined],
  ['a container, and no limit for blocks', { limit: 512 * MiB }, 'note', /--memory 384MiB/]
])('%s', (_, changed, state, remedy) => {
  const finding = checkMemory({ ...facts, ...changed })
  expect(finding.state).toBe(state)
  if (remedy === undefined) expect(finding.remedy).toBeUndefined()
  else expect(finding.remedy).toMatch(remedy)
})

test.each([
  ['Max open files            256                  4096                 files\n', ['todo']],
  ['Max open files            1024                 4096                 files\n', ['ok']],
  ['', []]
])('open files: %j', async (limits, states) => {
  expect((await checkOpenFiles(Promise.resolve(limits))).map(({ state }) => state)).toEqual(states)
})
