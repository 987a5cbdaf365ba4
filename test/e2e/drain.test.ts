import { expect, test } from 'vitest'
import { cam as camOf, checkSink, open, tasksOf } from '../cluster-of-tensors.ts'
import { runDrain } from '../run-drain.ts'

test('a worker hands over what it carries and stops, no datum is lost; then the last one goes likewise', async () => {
  const { cam, sink, invite, home, nodes } = await open(['shed', 'attic'])
  const [shed] = nodes
  await cam.status(status => tasksOf(status, 'shed') > 5)
  const refused = await runDrain('shed', '--join', invite)
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("only who holds the cluster's key")])
  const byWord = await runDrain('cam', '--state', `${home}/shed`)
  expect([byWord.code, byWord.stderr]).toEqual([2, expect.stringContaining("only who holds the cluster's key")])
  const asked = ['--join', invite, '--cluster-key', `${home}/cam/cluster.key`]
  const unknown = await runDrain('shad', ...asked)
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('there are: attic, cam, shed')])

  const { code, stdout } = await runDrain('shed', ...asked, '--json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ device: 'shed', handedOver: true, sources: [] })
  expect(await shed!.ended).toBe(0)
  expect(shed!.log()).toContain('drained: its blocks are with others; stopped')

  const { losses } = await cam.status(status => camOf(status).state === 'done')
  expect(losses).toMatchObject({ lost: 0, failed: 0, devicesLost: 0 })
  await checkSink(sink)
  expect(cam.log()).toContain('shed said goodbye')

  const own = await runDrain('--state', `${home}/attic`)
  expect(own).toMatchObject({ code: 0, stdout: 'attic stops: others carry what it carried\n' })
  const last = await runDrain('--state', `${home}/cam`)
  expect(last).toMatchObject({ code: 1, stdout: '' })
  expect(last.stderr).toContain('cam stops, but no other device is there to take over')
  expect(await cam.ended).toBe(0)
}, 600_000)
