import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2'
import { connect as dial, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import { afterEach, expect, test } from 'vitest'
import { deferred } from '../../core/deferred.ts'
import { type ModelReadyRequest, ModelReadyRequestSchema } from '../../runtime/generated/inference/inference_pb.ts'
import { parseEndpoint } from '../../runtime/parse-endpoint.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { selfSigned } from '../../testing/self-signed.ts'
import { createTokenCheck } from '../check-token.ts'
import { listenAt } from '../listen-at.ts'
import { ServingError } from '../serving-error.ts'
import { SERVING_LIMITS, type ServingLimits } from '../serving-limits.ts'
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from './create-grpc-server.ts'
import type { GrpcCall, GrpcMethod } from './grpc-method.ts'

const open: GrpcServer[] = []
const sessions: { destroy(): unknown }[] = []
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy()
  await Promise.all(open.splice(0).map(server => server.stop()))
})

type Answer = (request: ModelReadyRequest, call: GrpcCall) => Message | Promise<Message>

const method = (name: string, answer: Answer, more: Partial<GrpcMethod> = {}): readonly [string, GrpcMethod] => [
  `/t/${name}`,
  {
    ...{ name, input: ModelReadyRequestSchema, output: ModelReadyRequestSchema, isStream: false, isOpen: false },
    answer: (request, call) => answer(request as ModelReadyRequest, call),
    ...more
  }
]

/** `Echo` answers with what it is asked, `Health` without a token, `Many` each of a stream. */
const start = async (
  limits: Partial<ServingLimits> = {},
  more: Partial<GrpcServerOptions> = {},
  echo: Answer = request => request
): Promise<number> => {
  const server = createGrpcServer({
    ...{ tls: undefined, checkToken: () => {}, clock: systemClock, say: () => {} },
    limits: { ...SERVING_LIMITS, ...limits },
    methods: new Map([
      method('Echo', echo),
      method('Health', echo, { isOpen: true }),
      method('Many', echo, { isStream: true })
    ]),
    ...more
  })
  open.push(server)
  return (await listenAt(server.server, parseEndpoint('', '0'))).port
}

const client = (port: number, options: { readonly ca?: string } = {}): ClientHttp2Session => {
  const session = connect(`http${options.ca === undefined ? '' : 's'}://localhost:${port}`, options)
  session.on('error', () => {})
  sessions.push(session)
  return session
}

const begin = (session: ClientHttp2Session, path = '/t/Echo', headers = {}): ClientHttp2Stream => {
  const stream = session.request(
    { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers },
    { endStream: false }
  )
  return stream.on('error', () => {})
}

const frame = (bytes: Uint8Array, announced = bytes.byteLength, flag = 0): Buffer => {
  const prefix = Buffer.alloc(5)
  prefix[0] = flag
  prefix.writeUInt32BE(announced, 1)
  return Buffer.concat([prefix, bytes])
}

const encoded = (name: string): Uint8Array =>
  toBinary(ModelReadyRequestSchema, create(ModelReadyRequestSchema, { name }))

interface Heard {
  readonly http: number | undefined
  readonly code: number | undefined
  readonly words: string
  readonly headers: IncomingHttpHeaders
  /** What the answers say, each. */
  readonly names: readonly string[]
}

/** All of a call, when it is over. */
const heard = (stream: ClientHttp2Stream): Promise<Heard> =>
  new Promise(resolve => {
    let headers: IncomingHttpHeaders = {}
    const chunks: Buffer[] = []
    stream
      .on('response', given => Object.assign(headers, given))
      .on('trailers', given => {
        headers = { ...headers, ...given }
      })
      .on('data', chunk => chunks.push(chunk))
      .on('close', () => {
        const status = headers['grpc-status']
        resolve({
          ...{ headers, http: headers[':status'] as number | undefined, names: namesIn(Buffer.concat(chunks)) },
          code: status === undefined ? undefined : Number(status),
          words: decodeURIComponent(headers['grpc-message']?.toString() ?? '')
        })
      })
  })

const namesIn = (bytes: Buffer): string[] => {
  if (bytes.byteLength < 5) return []
  const end = 5 + bytes.readUInt32BE(1)
  return [fromBinary(ModelReadyRequestSchema, bytes.subarray(5, end)).name, ...namesIn(bytes.subarray(end))]
}

const asked = (session: ClientHttp2Session, bytes: Uint8Array, path?: string, headers = {}): Promise<Heard> => {
  const stream = begin(session, path, headers)
  stream.end(bytes)
  return heard(stream)
}

const echoed = (session: ClientHttp2Session, name = 'a'): Promise<Heard> => asked(session, frame(encoded(name)))

test('a call is answered, whatever pieces it comes in', async () => {
  const session = client(await start())
  expect(await echoed(session, 'ü')).toMatchObject({ http: 200, code: 0, names: ['ü'] })
  const stream = begin(session)
  const whole = heard(stream)
  for (const byte of frame(encoded('pieces'))) await new Promise(done => stream.write(Buffer.of(byte), done))
  stream.end()
  expect(await whole).toMatchObject({ code: 0, names: ['pieces'] })
  expect(await echoed(session, 'x'.repeat(3e6))).toMatchObject({ code: 0, names: ['x'.repeat(3e6)] })
})

test('half a message and then silence is given up, and its client told; so is a call without a message', async () => {
  const session = client(await start({ silence: 100 }))
  for (const [path, sent] of [
    ['/t/Echo', frame(encoded('half'), 1000)],
    ['/t/Echo', Buffer.of(0, 0)],
    ['/t/Echo', Buffer.alloc(0)],
    ['/t/Many', frame(encoded('half'), 1000)]
  ] as const) {
    const stream = begin(session, path)
    stream.write(sent)
    expect(await heard(stream)).toMatchObject({ code: 4, words: 'nothing more of the message came for 0.1 s' })
  }
  expect(await echoed(session)).toMatchObject({ code: 0 })
})

test('a stream on which nothing is asked for a while goes on', async () => {
  const session = client(await start({ silence: 20 }))
  const stream = begin(session, '/t/Many')
  const all = heard(stream)
  stream.write(frame(encoded('before')))
  await new Promise(resolve => stream.once('data', resolve))
  await systemClock.sleep(0.1 as never) // five times what half a message may take
  stream.end(frame(encoded('after')))
  expect(await all).toMatchObject({ code: 0, names: ['before', 'after'] })
})

test('a message that lies about its length is refused: more, less, far more', async () => {
  const session = client(await start({ body: 1000 }))
  const bytes = encoded('name')
  expect(await asked(session, frame(bytes, 100))).toMatchObject({
    ...{ code: 3, words: `the message ended after ${bytes.byteLength} bytes; 100 bytes should come` }
  })
  expect(await asked(session, frame(bytes, 2))).toMatchObject({ code: 3 })
  expect(await asked(session, Buffer.of(0, 0, 0))).toMatchObject({
    code: 3,
    words: expect.stringMatching(/its length should come/)
  })
  expect(await asked(session, Buffer.concat([frame(bytes), frame(bytes)]))).toMatchObject({
    ...{ code: 3, words: 'more than one message; this method takes one' }
  })
  expect(await asked(session, Buffer.alloc(0))).toMatchObject({ code: 3, words: 'the call has no message' })
  const large = begin(session)
  large.write(frame(bytes, 2 ** 32 - 1)) // and it is not waited for
  expect(await heard(large)).toMatchObject({
    code: 8,
    words: expect.stringMatching(/4294967295 bytes; the limit here is 1000/)
  })
  expect(await asked(session, frame(Buffer.from([0x0a, 0x7f])))).toMatchObject({
    code: 3,
    words: expect.stringMatching(/cannot be read/)
  })
  expect(await echoed(session)).toMatchObject({ code: 0 })
})

test('all messages together have a limit, by what they announce; what is given up makes room', async () => {
  const session = client(await start({ body: 1000, silence: 60_000 }))
  const waiting = Array.from({ length: 4 }, () => begin(session))
  for (const stream of waiting) stream.write(frame(Buffer.from('begun'), 1000))
  expect(await echoed(session, 'x'.repeat(900))).toMatchObject({ code: 8, headers: { 'retry-after': '1' } })
  const closed = waiting.map(heard)
  for (const stream of waiting) stream.close(8)
  await Promise.all(closed)
  expect(await echoed(session, 'x'.repeat(900))).toMatchObject({ code: 0 })
})

test('messages come packed; unpacked they have the same limit; how they are packed must be known', async () => {
  const session = client(await start({ body: 1000 }))
  const packed = (bytes: Uint8Array, encoding?: string) =>
    asked(
      session,
      frame(bytes, bytes.byteLength, 1),
      '/t/Echo',
      encoding === undefined ? {} : { 'grpc-encoding': encoding }
    )
  expect(await packed(gzipSync(encoded('gz')), 'gzip')).toMatchObject({ code: 0, names: ['gz'] })
  expect(await packed(gzipSync(encoded('z'.repeat(100_000))), 'gzip')).toMatchObject({ code: 8 })
  expect(await packed(encoded('plain'), 'gzip')).toMatchObject({
    code: 3,
    words: expect.stringMatching(/not packed with gzip/)
  })
  for (const encoding of ['snappy', 'toString', undefined])
    expect(await packed(encoded('a'), encoding)).toMatchObject({
      ...{ code: 12, headers: { 'grpc-accept-encoding': 'identity,deflate,gzip' } }
    })
})

test('without the token nothing is answered but what is open, and nothing is read', async () => {
  const told: string[] = []
  const more = {
    checkToken: createTokenCheck('sesame-open'),
    answered: (route: string, code: number) => told.push(`${route} ${code}`)
  }
  const session = client(await start({}, more))
  const bytes = frame(encoded('a'))
  for (const path of ['/t/Echo', '/t/Many']) {
    expect(await asked(session, bytes, path)).toMatchObject({ code: 16, words: 'a bearer token is needed', names: [] })
    expect(await asked(session, bytes, path, { authorization: 'Bearer sesame' })).toMatchObject({ code: 16, names: [] })
    const right = await asked(session, bytes, path, { authorization: 'bearer sesame-open' })
    expect(right).toMatchObject({ code: 0, names: ['a'] })
  }
  expect(await asked(session, bytes, '/t/Health')).toMatchObject({ code: 0, names: ['a'] })
  expect(told).toEqual(['Echo 16', 'Echo 16', 'Echo 0', 'Many 16', 'Many 16', 'Health 0'])
})

test('what is not gRPC is refused: other content, other methods, other protocols', async () => {
  const port = await start()
  const session = client(port)
  expect(await asked(session, frame(encoded('a')), '/t/None')).toMatchObject({
    code: 12,
    words: expect.stringMatching(/no method \/t\/None/)
  })
  for (const headers of [
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/grpc-web' },
    { ':method': 'PUT' }
  ])
    expect(await asked(session, frame(encoded('a')), '/t/Echo', headers)).toMatchObject({ http: 415, code: undefined })
  const socket = dial(port, 'localhost')
  sessions.push(socket)
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await new Promise(resolve =>
    socket
      .on('error', () => {})
      .on('close', resolve)
      .resume()
  )
  expect(await echoed(session)).toMatchObject({ code: 0 })
})

test('what is wrong is told in any language; of what nobody expected the operator hears too', async () => {
  const said: string[] = []
  const port = await start({}, { say: text => said.push(text) }, ({ name }) => {
    throw name === 'known' ? new ServingError('noSuchModel', '100 % größer 🦉\nno') : new Error('a bug')
  })
  const session = client(port)
  expect(await echoed(session, 'known')).toMatchObject({ http: 200, code: 5, words: '100 % größer 🦉\nno' })
  expect(said).toEqual([])
  expect(await echoed(session, 'unknown')).toMatchObject({ code: 13 })
  expect(said).toEqual(['an answer over gRPC failed: a bug'])
})

test('a call whose deadline is over is told so, and is not waited for; nor one whose client has gone', async () => {
  const aborted: string[] = []
  const begun = deferred<void>()
  const port = await start(
    {},
    {},
    ({ name }, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(name)
          reject(new ServingError('cancelled', 'nobody waits'))
        })
        if (name === 'gone') begun.resolve()
      })
  )
  const session = client(port)
  const late = await asked(session, frame(encoded('late')), '/t/Echo', { 'grpc-timeout': '50m' })
  expect(late).toMatchObject({ code: 4, words: "the call's deadline is over" })
  expect(await asked(session, frame(encoded('odd')), '/t/Echo', { 'grpc-timeout': '5 s' })).toMatchObject({ code: 3 })
  const gone = begin(session)
  gone.end(frame(encoded('gone')))
  await begun.promise
  gone.close(8)
  while (aborted.length < 2) await new Promise(setImmediate)
  expect(aborted).toEqual(['late', 'gone'])
})

test('answers of a stream keep the order of its messages; of one that reads no answers no more is read', async () => {
  const done = new Map<string, () => void>()
  const port = await start({}, {}, request =>
    request.name.startsWith('slow') ? new Promise(resolve => done.set(request.name, () => resolve(request))) : request
  )
  const session = client(port)
  const stream = begin(session, '/t/Many')
  const all = heard(stream)
  for (const name of ['slow', 'a', 'b']) stream.write(frame(encoded(name)))
  while (!done.has('slow')) await new Promise(setImmediate)
  done.get('slow')!()
  stream.end()
  expect(await all).toMatchObject({ code: 0, names: ['slow', 'a', 'b'] })
  const greedy = begin(session, '/t/Many')
  done.clear()
  for (let i = 0; i < 200; i++) greedy.write(frame(encoded(`slow${i}`)))
  while (done.size < 128) await new Promise(setImmediate)
  expect(await echoed(session)).toMatchObject({ code: 0 })
  expect(done.size).toBe(128)
  greedy.end()
  const rest = heard(greedy)
  while (done.size < 200) {
    for (const finish of done.values()) finish()
    await new Promise(setImmediate)
  }
  for (const finish of done.values()) finish()
  expect((await rest).names).toEqual(Array.from({ length: 200 }, (_, i) => `slow${i}`))
})

test.each(['plain', 'TLS'])(
  '%s, more connections than the limit: the one idle longest ends, one that waits for an answer does not',
  async over => {
    const answer = deferred<void>()
    const begun = deferred<void>()
    const tls = over === 'TLS' ? await selfSigned('localhost') : undefined
    const port = await start({ connections: 2 }, { tls }, async request => {
      if (request.name !== 'long') return request
      begun.resolve()
      await answer.promise
      return request
    })
    const trust = tls === undefined ? {} : { ca: tls.cert }
    const [busy, idle] = [client(port, trust), client(port, trust)]
    const long = echoed(busy, 'long')
    await begun.promise
    await echoed(idle)
    const ended = new Promise(resolve => idle.once('close', resolve))
    expect(await echoed(client(port, trust))).toMatchObject({ code: 0 })
    await ended
    answer.resolve()
    expect(await long).toMatchObject({ code: 0, names: ['long'] })
  }
)

test('a connection on which nothing is asked is ended after a while', async () => {
  const session = client(await start({ idle: 50 }))
  expect(await echoed(session)).toMatchObject({ code: 0 })
  await new Promise(resolve => session.once('close', resolve))
})

test('answers are encrypted where there is a certificate; who does not shake hands is let go', async () => {
  const { cert, key } = await selfSigned('localhost')
  const port = await start({ headers: 200 }, { tls: { cert, key } })
  expect(await echoed(client(port, { ca: cert }), 'secret')).toMatchObject({ code: 0, names: ['secret'] })
  expect(await echoed(client(port))).toMatchObject({ http: undefined })
  const silent: Socket = dial(port, 'localhost')
  sessions.push(silent)
  await new Promise(resolve =>
    silent
      .on('error', () => {})
      .on('close', resolve)
      .resume()
  )
})
