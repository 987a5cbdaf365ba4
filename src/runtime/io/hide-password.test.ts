import { expect, test } from 'vitest'
import { hidePassword } from './hide-password.ts'

test.each([
  ['rtsp://user:secret@cam/1', 'rtsp://***@cam/1'],
  ['rtsp://u:p@ss@h/x', 'rtsp://***@h/x'],
  ['cam=video:rtsp://u:p@s:s@h:554/a: refused', 'cam=video:rtsp://***@h:554/a: refused'],
  ['cam=video:rtsp://u:p/s@s/x@h:554/a: refused', 'cam=video:rtsp://***@h:554/a: refused'],
  ['rtsp://u:p/s@h/a and http://u:/@g/b', 'rtsp://***@h/a and http://***@g/b'],
  ['rtsp://u:p@h/a@b', 'rtsp://***@b'],
  ['rtsp://u@h/a@b', 'rtsp://***@h/a@b'],
  ['cam=mqtt:mqtts://me:p@broker/t', 'cam=mqtt:mqtts://***@broker/t'],
  ['http://h/x@y', 'http://h/x@y'],
  ['http://cam/snap?user=me&password=a/b@c&channel=1', 'http://cam/snap?user=me&password=***&channel=1'],
  ['cam=video:http://cam/v?Access_Token=x,fps=5', 'cam=video:http://cam/v?Access_Token=***,fps=5'],
  ['webhook:https://h/in?api-key=x y', 'webhook:https://h/in?api-key=*** y']
])('%s is told as %s', (text, shown) => {
  expect(hidePassword(text)).toBe(shown)
})
