import { expect, test } from 'vitest'
import { hidePassword } from './hide-password.ts'

test.each([
  ['rtsp://user:secret@cam/1', 'rtsp://***@cam/1'],
  ['rtsp://u:p@ss@h/x', 'rtsp://***@h/x'],
  ['cam=video:rtsp://u:p@s:s@h:554/a@b: refused', 'cam=video:rtsp://***@h:554/a@b: refused'],
  ['cam=mqtt:mqtts://me:p@broker/t', 'cam=mqtt:mqtts://***@broker/t'],
  ['http://h/x@y', 'http://h/x@y']
])('%s is told as %s', (text, shown) => {
  expect(hidePassword(text)).toBe(shown)
})
