import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { MAIN } from '../../src/testing/node-process.ts'
import { cam, checkSink, folder, open, tasksOf } from '../cluster-of-tensors.ts'
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
