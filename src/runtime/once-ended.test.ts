import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { onceEnded } from './once-ended.ts'

class Child extends EventEmitter {
  connected = true
}

test('an end that is noticed before the last message was read is told after it', () => {
  const child = new Child()
  const heard: unknown[] = []
  child.once('message', value => heard.push(value))
  onceEnded(child as never, (code, signal) => heard.push([code, signal]))
  child.emit('exit', 0, null)
  child.emit('message', 'the last')
  child.emit('disconnect')
  expect(heard).toEqual(['the last', [0, null]])
})

test('where all has been heard, at once', () => {
  const child = new Child()
  const heard: unknown[] = []
  onceEnded(child as never, (code, signal) => heard.push([code, signal]))
  child.connected = false
  child.emit('exit', null, 'SIGKILL')
  expect(heard).toEqual([[null, 'SIGKILL']])
})
