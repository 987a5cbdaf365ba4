import { expect, test } from 'vitest'
import { cam as camOf, open } from '../cluster-of-tensors.ts'
import { runDrain } from '../run-drain.ts'

test('others that have no room do not take over: it stops all the same, and the command says so', async () => {
  const { cam, nodes, home } = await open(['shed'], { worker: ['--memory', '1KiB'] })
  await cam.status(status => camOf(status).completed > 5)
  const [shed] = nodes
  const { code, stderr, stdout } = await runDrain('cam', '--state', `${home}/cam`)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/cam stops, but nobody else has room for block \d+ of net: .*; its sources end: cam/)
  expect(await cam.ended).toBe(0)
  expect(shed!.child.exitCode).toBeNull()
})
