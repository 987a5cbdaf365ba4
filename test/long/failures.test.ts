import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { clusterOfInvite, decodeInvite } from '../../src/runtime/network/invite.ts'
import { MAIN } from '../../src/testing/node-process.ts'
import { cam, checkSink, DATA, open, tasksOf } from '../cluster-of-tensors.ts'
import { start } from '../started-nodes.ts'

const run = promisify(execFile)

describe('nothing is lost', () => {
  test('with too little memory the source says what waits for what, and goes on when a device joins', async () => {
    const { cam: source, join: joinLate, sink } = await open([], { source: ['--memory', '1MiB'] })
    const stuck = await source.status(s => s.devices.some(device => device.waiting.length > 0))
    const [waiting] = stuck.devices[0]!.waiting
    expect(waiting!.because).toMatch(/needs .* raise the memory/)
    joinLate('big')
    await source.event('done')
    await checkSink(sink)
  })

  /** So slow that the run goes on for several seconds after what happens to a worker. */
  const slow = ['--speed', '0.01']

  test('a worker that hangs for ten seconds and comes back', async () => {
    const { cam: source, nodes, sink } = await open(['w1', 'w2'], { source: slow, worker: slow })
    await source.status(s => cam(s).completed >= 5 && tasksOf(s, 'w1') > 0)
    const { pid } = nodes[0]!.child
    process.kill(pid!, 'SIGSTOP')
    const back = setTimeout(() => process.kill(pid!, 'SIGCONT'), 10_000)
    await source.event('done')
    const lines = await checkSink(sink)
    const late = await source.status(s => cam(s).completed === DATA)
    console.info(
      `SIGSTOP: ${lines.filter(line => line.attempts > 1).length} sent again, ${cam(late).duplicates} late duplicates dropped`
    )
    clearTimeout(back)
    process.kill(pid!, 'SIGCONT')
  })

  test('a worker that joins in mid-run gets blocks and computes', async () => {
    const slower = ['--speed', '0.005'] // a device takes seconds to start, and a plan one or two
    const { cam: source, join: joinLate, sink } = await open(['w1'], { source: slower, worker: slower })
    await source.status(s => cam(s).completed >= 5)
    joinLate('late')
    const seen = await source.status(s => tasksOf(s, 'late') > 0)
    console.info(`late join: computing when ${cam(seen).completed} of ${DATA} were done`)
    await source.event('done')
    await checkSink(sink)
  })

  test('a worker stopped with Ctrl-C finishes what it has', async () => {
    const { cam: source, nodes, sink } = await open(['w1', 'w2'], { source: slow, worker: slow })
    await source.status(s => cam(s).completed >= 10 && tasksOf(s, 'w1') > 0)
    nodes[0]!.child.kill('SIGINT')
    expect(await nodes[0]!.ended).toBe(0)
    await source.event('done')
    await checkSink(sink)
    expect(source.log()).toContain('w1 said goodbye')
  })

  test('a source killed with -9 and started again goes on after the last result', async () => {
    const { cam: source, flags, invite, sink } = await open(['w1'], { source: slow, worker: slow })
    await source.status(s => cam(s).completed >= 20)
    source.child.kill('SIGKILL')
    await source.ended
    const before = (await readFile(sink, 'utf8')).split('\n').length - 1
    expect(before).toBeLessThan(DATA)
    const again = start('cam', [...flags, '--join', invite, '--start-when', '1'])
    await again.event('done')
    expect(again.log()).toMatch(/\d+ of 60 are in the sink already/)
    await checkSink(sink)
  })
})

describe('who may join', () => {
  test('a device with another key gets nothing but a refusal, and the cluster goes on', async () => {
    const { cam: source, home } = await open([])
    const { addresses } = (await source.event('listening')) as { addresses: string[] }
    const key = join(home, 'other.key')
    await writeFile(key, `tributary-key1:${Buffer.alloc(32, 7).toString('base64url')}\n`)
    const stranger = start('stranger', [
      '--state',
      join(home, 'stranger'),
      '--join',
      addresses[0]!,
      '--cluster-key',
      key
    ])
    await stranger.event('listening')
    await source.event('done')
    const { devices } = await source.status(s => cam(s).completed === DATA)
    expect(devices.map(device => device.name)).toEqual(['cam'])
    expect(source.log() + stranger.log()).toMatch(/refused/)
  })

  test('status and invite of a running device, from any device', async () => {
    const { home, nodes, invite } = await open(['w1'])
    await nodes[0]!.event('listening')
    for (const name of ['cam', 'w1']) {
      const { stdout } = await run(process.execPath, [MAIN, 'status', '--json', '--state', join(home, name)])
      expect(JSON.parse(stdout).answeredBy).toBe(name)
    }
    const { stdout } = await run(process.execPath, [MAIN, 'invite', '--state', join(home, 'cam')])
    const [printed, first] = [decodeInvite(stdout), decodeInvite(invite)]
    expect(clusterOfInvite(printed)).toEqual(clusterOfInvite(first))
    expect(printed.addresses).toEqual(expect.arrayContaining([...first.addresses])) // and by now those of w1, too
  })
})
