import { expect, test } from 'vitest'
import { InvariantError } from '../../core/invariant-error.ts'
import { seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { loneDevice, memorySink, numberSource, ownedCounting } from '../../testing/lone-device.ts'
import { untilEnded } from './until-ended.ts'

/** A device with a source of five data, how its process ends, and what it says. */
const ending = async (change: (source: ReturnType<typeof numberSource>) => void, refuses = false) => {
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  const codes: number[] = []
  const said: string[] = []
  const sink = memorySink(() => {
    if (refuses) throw new Error('the database is gone')
  })
  const source = numberSource(lone, 'cam', { count: 5, sink })
  change(source)
  await lone.device.addSource(source)
  await lone.device.start()
  const log = { say: (text: string) => void said.push(text), event: () => {} }
  const ended = untilEnded(lone.device, { exitWhenDone: true }, log, code => codes.push(code))
  ended.catch(() => {})
  await lone.clock.advance(seconds(5))
  return { lone, ended, codes, said }
}

test('a device whose sources are done ends with 0', async () => {
  const { ended, codes, said } = await ending(() => {})
  await ended
  expect([codes, said]).toEqual([[], ['all sources are done']])
})

test('a device that must not go on ends with 1, and has said why itself', async () => {
  const { lone, ended, codes } = await ending(source => {
    source.tick = () => {
      throw new InvariantError('datum 3 has no result to be written')
    }
  })
  await ended
  expect(codes).toEqual([1])
  expect(lone.said.filter(text => text.startsWith('failed, and stops'))).toEqual([
    'failed, and stops: datum 3 has no result to be written'
  ])
})

test('a source that failed is named with its cause, and the process ends with 1', async () => {
  const { ended, codes, said } = await ending(() => {}, true)
  await ended
  expect([codes, said[0]]).toEqual([[1], 'source cam: failed: the database is gone; start it again to go on'])
})

test('wrong use is for whoever called', async () => {
  const { ended, codes } = await ending(source => {
    source.run = () => Promise.reject(new UserError('the model does not fit'))
  })
  await expect(ended).rejects.toThrow('the model does not fit')
  expect(codes).toEqual([])
})
