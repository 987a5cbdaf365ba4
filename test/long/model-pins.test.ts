import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeZooModel } from '../../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import type { NodeProcess } from '../../src/testing/node-process.ts'
import { cam, checkSink, DATA, folder } from '../cluster-of-tensors.ts'
import { start } from '../started-nodes.ts'

// A member that offers another model of the same shape by the honest one's name, on real sockets.

const invited = async (node: NodeProcess): Promise<string> => String((await node.event('listening'))['invite'])
/** For those that are members already: who only is a member has no invites to give. */
const addressOf = async (node: NodeProcess): Promise<string> =>
  String(((await node.event('listening'))['addresses'] as string[])[0])

test('a name that was used means that model, also after restarts and before its owner comes; a fingerprint does from the first', async () => {
  const home = join(folder, 'pins')
  await mkdir(home)
  const evil = join(home, 'evil.onnx')
  await writeZooModel(zooGraph('resnet56'), evil, { seed: 2 })
  const device = (name: string, flags: readonly string[]): NodeProcess =>
    start(name, ['--state', join(home, name), '--speed', '0.1', '--preset', 'raw', ...flags])
  const porch = (sink: string, model: string, flags: readonly string[]): NodeProcess =>
    device('porch', [
      ...['--source', `cam=dir:${join(folder, 'data')},model=${model},window=8`, '--sink', join(home, sink), ...flags]
    ])
  const own = ['--model', `${join(folder, 'resnet56.onnx')}:net`]

  const owner = device('owner', own)
  const invite = await invited(owner)
  const first = porch('first.jsonl', 'net', ['--join', invite, '--exit-when-done'])
  expect(await first.ended).toBe(0)
  await checkSink(join(home, 'first.jsonl'))
  const { model } = await first.event('modelPinned')
  expect(first.log()).toContain(`model net is net@${String(model).slice(0, 16)}, offered by owner: pinned`)
  const mallory = device('mallory', ['--model', `${evil}:net`, '--join', invite])
  await mallory.event('deviceJoined') // it has been admitted
  owner.child.kill('SIGKILL')
  await owner.ended

  const second = porch('second.jsonl', 'net', ['--join', await addressOf(mallory)])
  const refused = await second.event('modelRefused')
  expect(refused).toMatchObject({ name: 'net', pinned: model, level: 'warn' })
  const waiting = await second.status(s => cam(s)?.because.includes('which is refused') === true)
  expect(cam(waiting)).toMatchObject({ state: 'waiting', completed: 0 })
  const again = device('owner', [...own, '--join', await addressOf(mallory)])
  await second.event('done')
  await checkSink(join(home, 'second.jsonl'))
  second.child.kill('SIGTERM')
  await second.ended

  const exact = `net@${String(model).slice(0, 12)}`
  const stranger = device('stranger', [
    ...['--source', `cam=dir:${join(folder, 'data')},model=${exact},window=8`, '--sink', join(home, 'exact.jsonl')],
    ...['--join', await invited(again), '--exit-when-done']
  ])
  expect(await stranger.ended).toBe(0)
  expect(await checkSink(join(home, 'exact.jsonl'))).toHaveLength(DATA)
  const kept = JSON.parse(await readFile(join(home, 'porch', 'models', 'pins.json'), 'utf8'))
  expect(kept).toMatchObject({ net: { model, since: expect.any(Number) } })
}, 240_000)
