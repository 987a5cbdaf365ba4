import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

/**
 * As it is compiled, beside this file where that is compiled too: a seed takes half the time of what the test runner makes of the
 * sources.
 */
const COMMAND = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../../dist/src/testing/simulated/seeds-command.js' : 'seeds-command.js',
    import.meta.url
  )
)

/** Nearly all that a seed makes is gone with it: with more room for what is young it is looked through less often. */
const YOUNG = ['--max-semi-space-size=64', '--single-threaded-gc', '--always-sparkplug']

/** Two processes at once, of one half of the seeds each: in each seed's cluster every law is kept. */
export const expectLawsKept = async (first: number, count: number): Promise<void> => {
  const [odd, even] = [Math.ceil(count / 2), Math.floor(count / 2)]
  const said = await Promise.all([runSeeds(first, odd), runSeeds(first + 1, even)])
  const verdicts = said.map(text => text.trim().split('\n').at(-1))
  expect(verdicts, said.join('\n')).toEqual(['0 break a law', '0 break a law'])
  expect(said.map(text => /^(\d+) seeds/m.exec(text)?.[1])).toEqual([`${odd}`, `${even}`])
}

const runSeeds = (from: number, count: number): Promise<string> =>
  new Promise(resolve => {
    const args = [...YOUNG, COMMAND, '--from', `${from}`, '--count', `${count}`, '--step', '2']
    execFile(process.execPath, args, { maxBuffer: 2 ** 26 }, (_, stdout, stderr) => resolve(stdout + stderr))
  })
