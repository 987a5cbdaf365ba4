import { expect, test } from 'vitest'
import { createNodeLog, type LogFormat } from './node-log.ts'

const logged = (jsonEvents: boolean, format: LogFormat = 'text') => {
  const [err, out]: [string[], string[]] = [[], []]
  const date = () => new Date('2031-02-03T04:05:06.789Z')
  const ports = { err: (text: string) => err.push(text), out: (text: string) => out.push(text), date }
  const log = createNodeLog({ name: 'porch', format, jsonEvents }, ports)
  return { log, err, out }
}

test('every line for people says when, how grave, who and what', () => {
  const { log, err } = logged(false)
  log.say('listening')
  log.say('the disk is full', 'warn')
  expect(err).toEqual([
    '2031-02-03T04:05:06.789Z info porch: listening\n',
    '2031-02-03T04:05:06.789Z warn porch: the disk is full\n'
  ])
})

test('what others wrote, wherever it came from, forges no line and does nothing to a terminal', () => {
  const { log, err } = logged(false)
  log.say(
    'source cam: mqtt://broker/x\n2031-02-03T04:05:06.789Z info porch: all is well\u001b[2J\u2028: is no message',
    'warn'
  )
  expect(err).toEqual([
    '2031-02-03T04:05:06.789Z warn porch: source cam: mqtt://broker/x 2031-02-03T04:05:06.789Z info porch: all is well [2J : is no message\n'
  ])
})

test('every event for programs has time and level, and keeps what it says itself', () => {
  const { log, out } = logged(true)
  log.event({ event: 'ready' })
  log.event({ event: 'failed', level: 'error', cause: 'x' })
  expect(out.map(line => JSON.parse(line))).toEqual([
    { time: '2031-02-03T04:05:06.789Z', level: 'info', event: 'ready' },
    { time: '2031-02-03T04:05:06.789Z', level: 'error', event: 'failed', cause: 'x' }
  ])
  const silent = logged(false)
  silent.log.event({ event: 'ready' })
  expect(silent.out).toEqual([])
})

test('as JSON, a line has the same under names', () => {
  const { log, err } = logged(false, 'json')
  log.say('two\nlines "quoted"', 'warn')
  expect(err).toEqual([
    '{"time":"2031-02-03T04:05:06.789Z","level":"warn","name":"porch","message":"two\\nlines \\"quoted\\""}\n'
  ])
})

test('as JSON, a line about a datum that is followed has its trace', () => {
  const { log, err } = logged(false, 'json')
  log.say('cam: frame 3 failed', 'warn', { traceId: 'abc' })
  log.say('cam: frame 4 failed', 'warn', { traceId: undefined })
  expect(err.map(line => JSON.parse(line).traceId)).toEqual(['abc', undefined])
})

test('as JSON, a line about another device names it, and what it tells of', () => {
  const { log, err } = logged(false, 'json')
  log.say('lost shed: it is silent', 'warn', { kind: 'left', device: 'shed' })
  expect(err.map(line => JSON.parse(line))).toEqual([expect.objectContaining({ kind: 'left', device: 'shed' })])
})

test('in text, too, a line about a datum that is followed has its trace', () => {
  const err: string[] = []
  const log = createNodeLog(
    { name: 'porch', format: 'text', jsonEvents: false },
    { err: text => err.push(text), date: () => new Date(0) }
  )
  log.say('cam: frame 3 failed', 'warn', { traceId: 'abc' })
  log.say('cam: frame 4 failed', 'warn', { traceId: undefined })
  expect(err.map(line => line.replace(/^\S+ /, ''))).toEqual([
    'warn porch: cam: frame 3 failed (trace abc)\n',
    'warn porch: cam: frame 4 failed\n'
  ])
})
