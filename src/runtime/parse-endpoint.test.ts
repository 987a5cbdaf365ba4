import { expect, test } from 'vitest'
import { UserError } from '../core/user-error.ts'
import { parseEndpoint } from './parse-endpoint.ts'

test.for([
  ['9100', '127.0.0.1', 9100],
  ['0', '127.0.0.1', 0],
  ['0.0.0.0:9100', '0.0.0.0', 9100],
  ['[::1]:9100', '::1', 9100],
  ['[::]:65535', '::', 65_535],
  ['localhost:80', 'localhost', 80],
  ['porch.local:80', 'porch.local', 80]
] as const)('%s', ([text, host, port]) => {
  expect(parseEndpoint('--metrics', text)).toEqual({ host, port })
})

test.for([
  '',
  ':9100',
  'porch',
  'porch:',
  '65536',
  '1.2.3:80',
  '::1:80',
  '[::1]',
  '[porch]:80',
  '80 ',
  'http://h:80',
  '-1',
  '1e3',
  'a b:80'
])('"%s" is refused, and told how it is to be', text => {
  expect(() => parseEndpoint('--metrics', text)).toThrow(UserError)
  expect(() => parseEndpoint('--metrics', text)).toThrow(/^--metrics ".*" must be PORT or HOST:PORT, like 9100/)
})
