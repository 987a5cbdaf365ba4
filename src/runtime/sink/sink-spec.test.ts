import { expect, test } from 'vitest'
import { identityOf } from './open-branch.ts'
import { parseSinkSpec } from './sink-spec.ts'

test('a sink is a path and what is to be done with it', () => {
  expect(parseSinkSpec('out/results.jsonl')).toMatchObject({ path: 'out/results.jsonl', rotation: undefined })
  expect(parseSinkSpec('file:a,b.jsonl,rotate=64MiB,keep=3,sources=door+cam')).toMatchObject({
    path: 'a,b.jsonl',
    rotation: { size: 64 * 2 ** 20, keep: 3 },
    sources: ['door', 'cam']
  })
})

test('a webhook and a broker are addresses and what is to be heeded', () => {
  expect(parseSinkSpec('webhook:https://host/a?b=1,batch=20,timeout=3s,backlog=8MiB')).toMatchObject({
    ...{ kind: 'webhook', batch: 20, timeout: 3, backlog: 8 * 2 ** 20, secret: undefined, sources: undefined },
    url: new URL('https://host/a?b=1')
  })
  expect(parseSinkSpec('mqtts://me@broker:8884/home/{source},qos=0,secret-file=/etc/p')).toMatchObject({
    ...{ kind: 'mqtt', topic: 'home/{source}', qos: 0, secret: '/etc/p' },
    url: new URL('mqtts://me@broker:8884/home/{source}')
  })
})

test.each([
  ['https://host/a', /is an address; write webhook:https:\/\/host\/a/],
  ['webhook:ftp://host/a', /is not webhook:http:\/\/HOST\/PATH/],
  [
    'webhook:http://me:secret@host/a,bach=2',
    /"webhook:http:\/\/me:\*\*\*@host.*unknown option "bach", did you mean "batch"/
  ],
  ['webhook:http://host/a,batch=0', /batch: must be how many results make one request, 1 to 10000/],
  ['webhook:http://host/a,rotate=1MiB', /unknown option "rotate"/],
  ['webhook:http://host/a,timeout=0s', /timeout: 0s is less than 1ms/],
  ['mqtt://broker', /is not mqtt:\/\/HOST\[:PORT\]\/TOPIC/],
  ['mqtt://broker/a/#', /is not mqtt:/],
  ['mqtt://broker/%23', /a topic without # and \+/],
  ['mqtt://broker/a,qos=2', /qos: must be 0 or 1/],
  ['', /needs a file/],
  ['a.jsonl,rotat=1MiB', /unknown option "rotat", did you mean "rotate"\? \(known: rotate, keep, sources\)/],
  ['a.jsonl,rotate=1KiB', /rotate: 1KiB is less than 4KiB/],
  ['a.jsonl,rotate=64', /rotate: "64" has no unit/],
  ['a.jsonl,keep=3', /keep goes with rotate=SIZE/],
  ['a.jsonl,rotate=1MiB,keep=0', /keep: must be how many rotated files remain, 1 to 999999/],
  ['a.jsonl,rotate=1MiB,rotate=2MiB', /rotate is given twice/],
  ['-,rotate=1MiB', /standard output is no file that could be rotated/]
])('%j is refused, and it is said what may stand there', (text, because) => {
  expect(() => parseSinkSpec(text)).toThrow(because)
})

test('standard output is the same sink by whatever name, and a file whatever leads to it', () => {
  expect(identityOf([parseSinkSpec('stdout')])).toBe(identityOf([parseSinkSpec('-')]))
  expect(identityOf([parseSinkSpec('webhook:http://me:x@host/a?b')])).toBe('webhook http://host/a')
  expect(identityOf([parseSinkSpec('./a/../b.jsonl')])).toBe(identityOf([parseSinkSpec('file:b.jsonl')]))
})

test('a password is not told, whatever it holds', () => {
  expect(() => parseSinkSpec('mqtt://me:p@s:s@broker/a#,qos=1')).toThrow('sink "mqtt://me:***@broker/a#,qos=1"')
  expect(() => parseSinkSpec('webhook:https://me:p@ss@host/x,batch=0')).toThrow(
    'sink "webhook:https://me:***@host/x,batch=0"'
  )
  expect(() => parseSinkSpec('mqtt://me:se/cr@et/x@broker/a,qos=1')).toThrow(
    /^sink "mqtt:\/\/me:\*\*\*@broker\/a,qos=1" is not .*%2F/
  )
  expect(() => parseSinkSpec('webhook:https://me:se/cret@host/x,bach=0')).toThrow(
    'sink "webhook:https://me:***@host/x,bach=0"'
  )
  expect(() => parseSinkSpec('mqtt://me:100%@broker/a')).toThrow('password: has a % that begins no escape; write %25')
  expect(() => parseSinkSpec('http://me:pass@host/x')).toThrow(
    'sink "http://me:***@host/x": is an address; write webhook:http://me:***@host/x'
  )
})
