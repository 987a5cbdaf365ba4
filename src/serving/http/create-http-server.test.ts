import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { deferred } from '../../core/deferred.ts'
import { parseEndpoint } from '../../runtime/parse-endpoint.ts'
import { selfSigned } from '../../testing/self-signed.ts'
import { listenAt } from '../listen-at.ts'
import { SERVING_LIMITS, type ServingLimits } from '../serving-limits.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions } from './create-http-server.ts'

const open: HttpServer[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(open.splice(0).map(server => server.stop()))
})

/** Answers with how many bytes came. */
const start = async (
  limits: Partial<ServingLimits> = {},
  more: Partial<HttpServerOptions> = {},
  wait: () => Promise<object> = async () => ({})
): Promise<number> => {
  const server = await createHttpServer({
    ...{ token: undefined, tls: undefined, limits: { ...SERVING_LIMITS, ...limits }, say: () => {} },
    ...more
  })
  open.push(server)
  server.app.post('/count', async request => {
    using body = await server.body(request)
    return { bytes: body.bytes.byteLength }
  })
  server.app.get('/wait', wait)
  server.app.get('/v2/health/live', async () => ({ live: true }))
  await server.app.ready()
  return (await listenAt(server.app.server, parseEndpoint('', '0'))).port
}

const dial = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
    sockets.push(socket)
  })

/** All that comes until the other end closes, or until a whole answer is there. */
const heard = (socket: Socket): Promise<string> =>
  new Promise(resolve => {
    let text = ''
    socket.on('data', chunk => {
      text += chunk
      if (/\r\n\r\n.*}$/s.test(text)) resolve(text)
    })
    socket.on('close', () => resolve(text))
  })

const post = (length: number, more = ''): string =>
  `POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`

const count = async (port: number, body: string): Promise<string> => {
  const socket = await dial(port)
  socket.write(post(body.length) + body)
  const answer = await heard(socket)
  socket.destroy()
  return answer
}

test('half a body and then silence is given up, and its client told', async () => {
  const port = await start({ silence: 100 })
  const socket = await dial(port)
  socket.write(`${post(1000)}half`)
  const answer = await heard(socket)
  expect(answer).toMatch(/^HTTP\/1.1 408 /)
  expect(answer).toMatch(/nothing more of the body came for 0.1 s/)
  expect(await count(port, 'whole')).toMatch(/"bytes":5/)
})

test('a body that says it is larger than the limit is refused before it comes; one that says nothing, when it is', async () => {
  const port = await start({ body: 1000 })
  const told = await dial(port)
  told.write(post(1001))
  expect(await heard(told)).toMatch(/^HTTP\/1.1 413 .*more than 1000 bytes/s)
  const silent = await dial(port)
  const chunk = `190\r\n${'x'.repeat(400)}\r\n`
  silent.write(`POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(4)}0\r\n\r\n`)
  expect(await heard(silent)).toMatch(/^HTTP\/1.1 413 /)
  expect(await count(port, 'x'.repeat(1000))).toMatch(/"bytes":1000/)
})

test('all bodies together have a limit: who comes too much is told to come again', async () => {
  const port = await start({ body: 1000, silence: 60_000 })
  const waiting = await Promise.all(Array.from({ length: 4 }, () => dial(port)))
  for (const socket of waiting) socket.write(`${post(1000)}begun`)
  let answer = ''
  while (!answer.includes('503')) answer = await count(port, 'x'.repeat(1000))
  expect(answer).toMatch(/retry-after: 1/i)
  for (const socket of waiting) socket.destroy()
  while (!answer.includes('"bytes":1000')) answer = await count(port, 'x'.repeat(1000))
})

test('ten thousand connections that say nothing keep nobody out', async () => {
  const port = await start({ connections: 100 })
  const idle = new Set<Socket>()
  for (let wave = 0; wave < 20; wave++) {
    const opened = await Promise.all(Array.from({ length: 500 }, () => dial(port).catch(() => undefined)))
    for (const socket of opened) {
      if (socket === undefined) continue
      socket.on('error', () => {})
      idle.add(socket)
      socket.on('close', () => idle.delete(socket))
    }
    expect(await count(port, 'here')).toMatch(/"bytes":4/)
  }
  expect(await count(port, 'here')).toMatch(/"bytes":4/)
  const alive = await new Promise<number>((resolve, reject) =>
    open[0]!.app.server.getConnections((error, all) => (error === null ? resolve(all) : reject(error)))
  )
  expect(alive).toBeLessThanOrEqual(100)
})

test('who does not bring the token is refused before the body, but may ask whether the server lives', async () => {
  const port = await start({}, { token: 'a-secret-token' })
  const ask = async (head: string): Promise<string> => {
    const socket = await dial(port)
    socket.write(`${head}Host: a\r\nConnection: close\r\n\r\n`)
    return heard(socket)
  }
  const authorized = (token: string): string =>
    `POST /count HTTP/1.1\r\nContent-Length: 0\r\nAuthorization: ${token}\r\n`
  expect(await ask('GET /v2/health/live HTTP/1.1\r\n')).toMatch(/^HTTP\/1.1 200 /)
  expect(await ask('POST /count HTTP/1.1\r\nContent-Length: 0\r\n')).toMatch(
    /^HTTP\/1.1 401 .*www-authenticate: Bearer/is
  )
  expect(await ask(authorized('Bearer wrong-token'))).toMatch(/^HTTP\/1.1 401 /)
  expect(await ask(authorized('Bearer a-secret-token'))).toMatch(/^HTTP\/1.1 200 /)
  expect(await ask(authorized('bearer a-secret-token'))).toMatch(/^HTTP\/1.1 200 /)
})

test('each answer is told of by the route as it is declared and its status', async () => {
  const told: string[] = []
  const port = await start(
    { body: 10 },
    { token: 'a-secret-token', answered: (route, code) => told.push(`${route} ${code}`) }
  )
  const ask = async (path: string, length = 0, token = 'a-secret-token'): Promise<string> => {
    const socket = await dial(port)
    const head = `Host: a\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${length}\r\n\r\n`
    socket.write(`POST ${path} HTTP/1.1\r\n${head}`)
    return heard(socket)
  }
  for (const path of ['/count', '/count?a=1', '/nothing/here']) await ask(path)
  await ask('/count', 11)
  await ask('/count', 0, 'wrong-token')
  await expect.poll(() => told).toEqual(['/count 200', '/count 200', 'none 404', '/count 413', '/count 401'])
})

test('any content type is taken, one that is none too', async () => {
  const port = await start()
  for (const type of [
    ';;;',
    'text',
    '',
    'multipart/;',
    'application/json',
    'text/plain ;charset=x',
    'a b/c',
    '/',
    '*/*'
  ]) {
    const socket = await dial(port)
    socket.write(`${post(4, `Content-Type: ${type}\r\n`)}body`)
    expect([type, await heard(socket)]).toEqual([type, expect.stringMatching(/^HTTP\/1.1 200 .*"bytes":4/s)])
  }
})

test('with a certificate it speaks TLS alone', async () => {
  const tls = await selfSigned('localhost')
  const port = await start({}, { tls })
  const secure = connectTls({ port, host: '127.0.0.1', ca: tls.cert, servername: 'localhost' })
  sockets.push(secure)
  secure.write('GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(await heard(secure)).toMatch(/^HTTP\/1.1 200 .*"live":true/s)
  const plain = await dial(port)
  plain.write('GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(await heard(plain)).not.toMatch(/200/)
})

test.each(['plain', 'TLS'])(
  '%s, more connections than the limit: the one idle longest ends, one that waits for an answer does not',
  async over => {
    const tls = over === 'TLS' ? await selfSigned('localhost') : undefined
    const [answer, begun] = [deferred<void>(), deferred<void>()]
    const wait = async () => {
      begun.resolve()
      await answer.promise
      return {}
    }
    const port = await start({ connections: 2 }, { tls }, wait)
    const open = async (path: string): Promise<Socket> => {
      const options = { port, host: '127.0.0.1', servername: 'localhost' }
      const socket = tls === undefined ? await dial(port) : connectTls({ ...options, ca: tls.cert })
      sockets.push(socket.on('error', () => {}))
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
      return socket
    }
    const busy = await open('/wait')
    const long = heard(busy)
    await begun.promise
    const idle = await open('/v2/health/live')
    expect(await heard(idle)).toMatch(/200/)
    const ended = new Promise(resolve => idle.once('close', resolve))
    expect(await heard(await open('/v2/health/live'))).toMatch(/200/)
    await ended
    answer.resolve()
    expect(await long).toMatch(/200/)
  }
)

test('a port that is taken is said with what to do', async () => {
  const port = await start()
  await expect(start().then(() => listenAt(open[1]!.app.server, { host: '127.0.0.1', port }))).rejects.toThrow()
  const other = await createHttpServer({ token: undefined, tls: undefined, limits: SERVING_LIMITS, say: () => {} })
  open.push(other)
  await expect(listenAt(other.app.server, { host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'portInUse',
    message: expect.stringMatching(/the port is in use; choose another/)
  })
})
