import { mkdtempSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { Clock } from '../../../core/clock.ts'
import { bytes, seconds } from '../../../core/units.ts'
import { createSmallDisk, maySmallDisk } from '../../../testing/small-disk.ts'
import type { Sink } from '../../ports/sink.ts'
import { type ResultEntry, sinkLine } from '../../ports/sink-entry.ts'
import { systemClock } from '../../system-clock.ts'
import { openSinkFile } from '../sink-file.ts'
import { type DeliveringSinkOptions, openDeliveringSink } from './delivering-sink.ts'
import { Outbox } from './outbox.ts'
import { webhook } from './webhook.ts'

/** Pauses are as in real life, a hundred times shorter. */
const hurried: Clock = {
  now: systemClock.now,
  sleep: (duration, options) => systemClock.sleep(seconds(duration / 100), options)
}

interface Request {
  readonly body: unknown
  readonly headers: IncomingMessage['headers']
}

interface Hook extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly requests: Request[]
  /** The data of the results that were taken, in order. */
  taken(): number[]
}

type Answer = (response: ServerResponse, count: number) => void
const ok: Answer = response => void response.writeHead(204).end()
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  response =>
    void response.writeHead(code, headers).end('no')

/** A web server that is told how to answer each request. */
const hook = async (answer: (count: number) => Answer, port = 0): Promise<Hook> => {
  const requests: Request[] = []
  const taken: number[] = []
  const server: Server = createServer(async (request, response) => {
    let text = ''
    for await (const piece of request) text += piece
    const body = JSON.parse(text)
    requests.push({ body, headers: request.headers })
    answer(requests.length)(response, requests.length)
    if (response.statusCode < 300 && response.writableEnded) taken.push(...[body].flat().map(({ datum }) => datum))
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const at = (server.address() as AddressInfo).port
  return {
    ...{ url: `http://127.0.0.1:${at}/results`, port: at, requests, taken: () => taken },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  }
}

const said: string[] = []
const sinks: Sink[] = []
afterEach(async () => {
  await Promise.all(sinks.splice(0).map(sink => sink.stop()))
  said.length = 0
})

const open = async (
  folder: string,
  url: string,
  more: Partial<DeliveringSinkOptions> & {
    readonly batch?: number
    readonly token?: string
    readonly timeout?: number
  } = {}
): Promise<Sink> => {
  const { batch = 1, token, timeout = 2000, ...rest } = more
  const sink = await openDeliveringSink({
    ...{ name: 'webhook:x', folder, backlog: bytes(1e6), clock: hurried, say: text => said.push(text) },
    deliverer: webhook({ url: new URL(url), token, timeout: seconds(timeout), batch, clock: hurried }),
    ...rest
  })
  sinks.push(sink)
  return sink
}

const until = (server: Hook, ...data: readonly number[]) =>
  vi.waitFor(() => expect(server.taken()).toEqual(data), 10_000)
const place = (): string => mkdtempSync(join(tmpdir(), 'tributary-outbox-'))
const result = (datum: number, text = ''): ResultEntry => ({
  ...{ source: 'door@porch', datum, item: `${datum}.png`, result: { text }, inferenceTime: 0.5, attempts: 1 }
})
const write = (sink: Sink, ...data: readonly number[]) => Promise.all(data.map(datum => sink.write(result(datum))))

test('each result is posted once, in order, as JSON, with a key that tells it', async () => {
  await using server = await hook(() => ok)
  const sink = await open(place(), server.url.replace('//', '//me:se%20cret@'))
  expect(await write(sink, 0, 1, 0)).toEqual(['written', 'written', 'duplicate'])
  await until(server, 0, 1)
  await sink.stop()
  expect(server.requests.map(({ body }) => body)).toEqual([result(0), result(1)])
  expect(server.requests[1]!.headers).toMatchObject({
    'content-type': 'application/json',
    'idempotency-key': 'door%40porch/1',
    authorization: `Basic ${Buffer.from('me:se cret').toString('base64')}`
  })
  expect(said).toEqual([])
})

test('several at once are a list; a token is a header', async () => {
  await using server = await hook(() => ok)
  const sink = await open(place(), server.url, { batch: 3, token: 'secret', linger: seconds(1) })
  await write(sink, 0, 1, 2, 3)
  await until(server, 0, 1, 2, 3)
  await sink.stop()
  expect(server.requests.map(({ body }) => (body as unknown[]).length)).toEqual([3, 1])
  expect(server.requests[0]!.headers).toMatchObject({ authorization: 'Bearer secret' })
})

test.each([
  ['500', status(500), /answers 500 Internal Server Error/],
  ['429 and when to come again', status(429, { 'retry-after': '2' }), /answers 429/],
  [
    'another address',
    status(302, { location: 'http://elsewhere/' }),
    /answers 302 Found, to http:\/\/elsewhere\/: name/
  ],
  ['nothing, and hangs up', (response: ServerResponse) => void response.destroy(), /cannot be reached/],
  ['nothing', () => {}, /has not answered within 100 s/]
])('a webhook that answers %s is tried again, and nothing is lost or out of order', async (what, answer, because) => {
  await using server = await hook(count => (count <= 2 ? (answer as Answer) : ok))
  const sink = await open(place(), server.url, { timeout: what === 'nothing' ? 100 : 2000 })
  await write(sink, 0, 1, 2)
  await until(server, 0, 1, 2)
  await sink.stop()
  expect(said).toEqual([expect.stringMatching(because), expect.stringContaining('results are delivered again')])
})

test('an answer that never ends is taken at its status', async () => {
  const endless: Answer = response => {
    response.writeHead(200)
    const more = (): void => {
      if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more))
    }
    more()
  }
  await using server = await hook(() => endless)
  const sink = await open(place(), server.url, { timeout: 500 })
  await write(sink, 0, 1)
  await vi.waitFor(() => expect(server.requests).toHaveLength(2), 5000)
  await vi.waitFor(() => expect(sink.deliveries!()).toEqual([{ to: 'webhook:x', waiting: 0, because: '' }]), 5000)
  await sink.stop()
  expect([server.requests.length, said]).toEqual([2, []])
})

test('what is delivered before its write has returned does not count as waiting for ever', async () => {
  const late: Answer = response => void systemClock.sleep(seconds(0.1)).then(() => response.writeHead(204).end())
  await using server = await hook(() => late)
  const sink = await open(place(), server.url, {
    openFile: async (...of) => {
      const disk = await openSinkFile(...of)
      const sync = async (): Promise<void> => {
        await systemClock.sleep(seconds(0.3)) // its lines can be read meanwhile
        await disk.sync()
      }
      return { ...disk, sync }
    }
  })
  await write(sink, 0)
  await write(sink, 1)
  await vi.waitFor(() => expect(server.requests).toHaveLength(2), 5000)
  await vi.waitFor(() => expect(sink.deliveries!()).toEqual([{ to: 'webhook:x', waiting: 0, because: '' }]), 2000)
  await sink.stop()
})

test('what waits for its delivery is told, with what holds it up', async () => {
  let isUp = false
  await using server = await hook(() => (isUp ? ok : status(500)))
  const sink = await open(place(), server.url)
  await write(sink, 0, 1)
  const waiting = Buffer.byteLength(sinkLine(result(0)) + sinkLine(result(1)))
  await vi.waitFor(() =>
    expect(sink.deliveries!()).toEqual([{ to: 'webhook:x', waiting, because: 'answers 500 Internal Server Error' }])
  )
  isUp = true
  await vi.waitFor(() => expect(sink.deliveries!()).toEqual([{ to: 'webhook:x', waiting: 0, because: '' }]), 5000)
})

test.skipIf(!maySmallDisk())('a disk that is really full holds results back, and none is lost', async () => {
  await using server = await hook(() => ok)
  using disk = createSmallDisk(256)
  const sink = await open(join(disk.folder, 'outbox'), server.url)
  await write(sink, 0)
  disk.fill()
  const all = Array.from({ length: 40 }, (_, i) => i + 1)
  const waiting = write(sink, ...all)
  await vi.waitFor(() => expect(said.join()).toMatch(/disk is full \(ENOSPC\)/), 5000)
  disk.free()
  await waiting
  await until(server, 0, ...all)
  await sink.stop()
})

test('what is not delivered when the device stops, or its other end is away, is delivered by the next start', async () => {
  const folder = place()
  const gone = await hook(() => ok)
  const { url, port } = gone
  await gone[Symbol.asyncDispose]()
  const first = await open(folder, url)
  await write(first, 0, 1)
  await first.stop()
  expect(said.at(-1)).toMatch(/\d+ bytes of results are not delivered; the next start does that/)
  await using server = await hook(() => ok, port)
  const second = await open(folder, url)
  expect([...second.recorded('door@porch').keys()]).toEqual([0, 1])
  expect(await write(second, 1, 2)).toEqual(['duplicate', 'written'])
  await until(server, 0, 1, 2)
  await second.stop()
  const third = await open(folder, url)
  await third.stop()
  expect(server.taken()).toEqual([0, 1, 2])
})

test('what will never be taken is set aside, and the others go on', async () => {
  const folder = place()
  await using server = await hook(count => (count === 2 ? status(422) : ok))
  const sink = await open(folder, server.url)
  await write(sink, 0, 1, 2)
  await until(server, 0, 2)
  await sink.stop()
  expect(JSON.parse(readFileSync(join(folder, 'refused.jsonl'), 'utf8'))).toMatchObject({ datum: 1 })
  expect(said.join()).toMatch(/answers 422 .*; kept in .*refused.jsonl/)
})

test('of several that are refused together only those that are refused alone are set aside', async () => {
  const folder = place()
  const isBad = ({ body }: Request): boolean => [body].flat().some(one => (one as { datum: number }).datum === 1)
  await using server = await hook(count => (isBad(server.requests[count - 1]!) ? status(413) : ok))
  const sink = await open(folder, server.url, { batch: 3, linger: seconds(1) })
  await write(sink, 0, 1, 2)
  await until(server, 0, 2)
  await sink.stop()
  expect(refusedIn(folder)).toMatchObject([{ datum: 1 }])
})

test('that refused results are kept is said once, and once that they are not any more', async () => {
  const folder = place()
  await using server = await hook(() => status(422))
  const sink = await open(folder, server.url)
  await write(sink, 0, 1)
  await vi.waitFor(() => expect(refusedIn(folder)).toHaveLength(2))
  truncateSync(join(folder, 'refused.jsonl'), 64 * 1024 * 1024)
  await write(sink, 2, 3)
  await vi.waitFor(() => expect(server.requests).toHaveLength(4))
  await sink.stop()
  expect(said).toEqual([
    expect.stringMatching(/answers 422 .*; kept in .*refused.jsonl/),
    expect.stringMatching(/answers 422 .*; lost, .*refused.jsonl is full/)
  ])
})

test('a place that is behind the end of its file is of another file, and nothing of this one is passed over', async () => {
  const folder = place()
  const file = join(folder, 'results.jsonl')
  writeFileSync(file, 'one\ntwo\n')
  const inode = String(statSync(file, { bigint: true }).ino)
  writeFileSync(`${file}.delivered`, JSON.stringify({ inode, offset: 100 }))
  const outbox = await Outbox.open(file)
  expect(await outbox.waiting()).toBe(8)
  expect((await outbox.next(9))?.lines).toEqual(['one', 'two'])
})

const refusedIn = (folder: string): unknown[] =>
  readFileSync(join(folder, 'refused.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))

test('when too much waits, sources wait too, until there is room', async () => {
  let isBack = false
  await using server = await hook(() => (isBack ? ok : status(503)))
  const sink = await open(place(), server.url, { backlog: bytes(5000) })
  for (let datum = 0; datum < 5; datum++) await sink.write(result(datum, 'x'.repeat(1000)))
  await vi.waitFor(() =>
    expect(sink.state()).toMatchObject({ kind: 'stuck', because: /answers 503.*5000 bytes/ as never })
  )
  let isIn = false
  const later = sink.write(result(5)).then(outcome => {
    isIn = true
    return outcome
  })
  expect(isIn).toBe(false)
  isBack = true
  expect(await later).toBe('written')
  expect(sink.state()).toEqual({ kind: 'open' })
  await until(server, 0, 1, 2, 3, 4, 5)
})

test('a disk that is full holds results back; none is posted that could be lost, and none is lost', async () => {
  let isFull = true
  await using server = await hook(() => ok)
  const sink = await open(place(), server.url, {
    openFile: async (...how) => {
      const file = await openSinkFile(...how)
      return {
        ...file,
        append: data => {
          if (isFull && data.includes(123)) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
          return file.append(data)
        }
      }
    }
  })
  const written = write(sink, 0, 1)
  await vi.waitFor(() => expect(sink.state()).toMatchObject({ kind: 'stuck', because: 'the disk is full (ENOSPC)' }))
  expect(server.requests).toEqual([])
  isFull = false
  expect(await written).toEqual(['written', 'written'])
  await until(server, 0, 1)
})

test('thousands pass through files that are removed behind them', async () => {
  const folder = place()
  await using server = await hook(() => ok)
  const sink = await open(folder, server.url, { batch: 1000, backlog: bytes(1e9) })
  const text = 'y'.repeat(2000)
  await Promise.all(Array.from({ length: 2500 }, (_, datum) => sink.write(result(datum, text))))
  await vi.waitFor(() => expect(server.taken()).toHaveLength(2500), 20_000)
  await sink.stop()
  expect(server.taken().every((datum, i) => datum === i)).toBe(true)
  const left = readdirSync(folder).filter(name => /^results.jsonl(\.\d+)?$/.test(name))
  expect(left).toHaveLength(1)
})
