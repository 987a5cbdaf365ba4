import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { MAIN } from '../../src/testing/node-process.ts'
import { cam as camOf, open } from '../cluster-of-tensors.ts'

const run = promisify(execFile)

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const drain = (...flags: readonly string[]): Promise<Ended> =>
  run(process.execPath, [MAIN, 'drain', ...flags]).then(
    said => ({ code: 0, ...said }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr })
  )

test('others that have no room do not take over: it stops all the same, and the command says so', async () => {
  const { cam, nodes, home } = await open(['shed'], { worker: ['--memory', '1KiB'] })
  await cam.status(status => camOf(status).completed > 5)
  const [shed] = nodes
  const { code, stderr, stdout } = await drain('cam', '--state', `${home}/cam`)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/cam stops, but nobody else has room for block \d+ of net: .*; its sources end: cam/)
  expect(await cam.ended).toBe(0)
  expect(shed!.child.exitCode).toBeNull()
})
