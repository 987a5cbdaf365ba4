import { expect, test } from 'vitest'
import { Serial } from './serial.ts'

test('jobs run one at a time, in order, and a failed one disturbs nobody else', async () => {
  const serial = new Serial()
  const log: string[] = []
  const job =
    (name: string, fail = false) =>
    async () => {
      log.push(`${name} starts`)
      await Promise.resolve()
      log.push(`${name} ends`)
      if (fail) throw new Error(name)
      return name
    }
  const results = await Promise.allSettled([serial.run(job('a')), serial.run(job('b', true)), serial.run(job('c'))])
  expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends'])
  expect(results.map(r => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})
