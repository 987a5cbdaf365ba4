import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { clusterOfInvite, decodeInvite } from '../../src/runtime/network/invite.ts'
import { MAIN } from '../../src/testing/node-process.ts'
import { cam, checkSink, DATA, folder, open, tasksOf } from '../cluster-of-tensors.ts'
import { start } from '../started-nodes.ts'

const run = promisify(execFile)

describe('nothing is lost', () => {
  /** So slow that the run goes on for several seconds after what happens to a worker. */
  const slow = ['--speed', '0.01']

  test('a worker killed with -9 in mid-run', async () => {
    const { cam: source, nodes, sink } = await open(['w1', 'w2'], { source: slow, worker: slow })
    await source.status(s => cam(s).completed >= 10 && tasksOf(s, 'w1') > 0)
    nodes[0]!.child.kill('SIGKILL')
    await source.event('done')
    const lines = await checkSink(sink)
    console.info(`kill -9: ${lines.filter(line => line.attempts > 1).length} data were sent again`)
    expect(source.log()).toContain('lost w1')
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

describe('wrong use ends with 2 and one line that helps', () => {
  const refusal = async (...flags: string[]): Promise<string> => {
    const failed = await run(process.execPath, [
      MAIN,
      'node',
      '--no-mdns',
      '--state',
      join(folder, 'wrong'),
      ...flags
    ]).catch(e => e)
    expect(failed.code).toBe(2)
    expect(failed.stderr.trimEnd().split('\n')).toHaveLength(1)
    return failed.stderr
  }

  test('an address without a key', async () => {
    expect(await refusal('--join', '127.0.0.1:4001')).toMatch(
      /--join 127.0.0.1:4001 needs the cluster's key.*--cluster-key/
    )
  })

  test('a policy that is mistyped', async () => {
    expect(await refusal('--policy', 'conflunce')).toMatch(/did you mean confluence/)
  })

  test('a port in use', async () => {
    const first = start('first', ['--state', join(folder, 'first')])
    const { addresses } = (await first.event('listening')) as { addresses: string[] }
    const port = /tcp\/(\d+)/.exec(addresses[0]!)![1]
    expect(await refusal('--listen', `127.0.0.1:${port}`)).toMatch(new RegExp(port!))
  })

  test('a sink that cannot be written', async () => {
    const source = ['--source', `cam=dir:${join(folder, 'data')}`, '--preset', 'raw', '--listen', '127.0.0.1:0']
    expect(await refusal(...source, '--sink', folder)).toMatch(/--sink/)
  })
})
