import { expect, test } from 'vitest'
import { onHangup } from './on-hangup.ts'

test('a signal that comes before it is known what to do is remembered, once; later ones are obeyed as they come', () => {
  const before = process.listenerCount('SIGHUP')
  let times = 0
  {
    using hangup = onHangup()
    process.emit('SIGHUP')
    process.emit('SIGHUP')
    hangup.obey(
      () => times++,
      () => {}
    )
    expect(times).toBe(1)
    process.emit('SIGHUP')
    expect(times).toBe(2)
  }
  expect(process.listenerCount('SIGHUP')).toBe(before)
})
