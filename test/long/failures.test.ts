import { describe, expect, test } from 'vitest'
import { cam, checkSink, DATA, open, tasksOf } from '../cluster-of-tensors.ts'

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
})
