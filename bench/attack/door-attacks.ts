import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { request } from 'undici'
import { type Attack, again, type Stage } from './attack.ts'
import type { Doors } from './honest-cluster.ts'

// What programs do that reach a port which a device has opened for others.

/** Sends bytes over a connection of its own, and takes nothing back. */
const raw = ({ signal }: Stage, url: string, ...pieces: readonly (string | Uint8Array)[]): void => {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => {})
  signal.addEventListener('abort', () => socket.destroy())
  for (const piece of pieces) socket.write(piece)
}

const INFER = '/v2/models/net/infer'

const head = (path: string, headers: Readonly<Record<string, string | number>>): string =>
  [`POST ${path} HTTP/1.1`, 'host: 127.0.0.1', ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`), '', ''].join(
    '\r\n'
  )

/** Against one door, by connections of their own; each is opened anew when there are fewer than `most`. */
const connections = (
  name: string,
  what: string,
  door: keyof Doors,
  pieces: readonly (string | Uint8Array)[],
  each = 10
): Attack => ({
  ...{ name, what, once: '', unit: 'connections', isQuick: true },
  play: stage =>
    again(stage.signal, 0.1, () => {
      for (let i = 0; i < each; i++) raw(stage, stage.cluster.doors[door], ...pieces)
      stage.count(each)
    })
})

/** Requests whose answers are looked at: none may be a success or a failure of the server itself. */
const requests = (
  name: string,
  what: string,
  ask: (stage: Stage) => Promise<{ readonly statusCode: number; readonly body: { dump(): Promise<void> } }>
): Attack => {
  const codes = new Map<number, number>()
  return {
    ...{ name, what, once: '', unit: 'requests', isQuick: true },
    play: stage =>
      again(stage.signal, 0.02, async () => {
        stage.count()
        const code = await ask(stage).then(
          async ({ statusCode, body }) => {
            await body.dump()
            return statusCode
          },
          () => 0
        )
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }),
    fault: stage => {
      stage.note([...codes].map(([code, times]) => `${times} x ${code === 0 ? 'closed' : code}`).join(', '))
      const bad = [...codes.keys()].filter(code => code >= 200 && (code < 300 || code === 500))
      return bad.length > 0 ? `it was answered with ${bad.join(', ')}` : undefined
    }
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
/** Zeros, of which a gigabyte becomes a megabyte. */
const bomb = (): Uint8Array => gzipSync(Buffer.alloc(512 * 2 ** 20), { level: 9 })

const lies: readonly object[] = [
  { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2 ** 40], data: [1] }] },
  { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 256], data: [] }] },
  { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 256], parameters: { binary_data_size: 2 ** 52 } }] },
  { inputs: Array.from({ length: 10_000 }, () => ({ name: 'x', datatype: 'BYTES', shape: [1], data: ['y'] })) },
  { inputs: { length: 3 } },
  {}
]

export const doorAttacks = (): readonly Attack[] => {
  let packed: Uint8Array | undefined
  let turn = 0
  return [
    connections('HTTP: bodies that never come', 'a client begins requests of 100 MB and sends a byte of each', 'http', [
      head(INFER, { ...JSON_TYPE, 'content-length': 100_000_000 }),
      '{'
    ]),
    connections('HTTP: headers that never end', 'a client begins requests and never ends their headers', 'http', [
      `POST ${INFER} HTTP/1.1\r\nx-a: `
    ]),
    requests('HTTP: lies about sizes', 'a client asks with shapes and sizes that are not so', ({ cluster }) =>
      request(`${cluster.doors.http}${INFER}`, {
        ...{ method: 'POST', headers: JSON_TYPE, body: JSON.stringify(lies[turn++ % lies.length]) }
      })
    ),
    requests(
      'HTTP: gzip bombs',
      'a client sends half a gigabyte of zeros packed into half a megabyte',
      ({ cluster }) => {
        packed ??= bomb()
        const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' }
        return request(`${cluster.doors.http}${INFER}`, { method: 'POST', headers, body: packed })
      }
    ),
    requests('HTTP: another site', 'a page of another site asks the dashboard to stop a device', ({ cluster }) =>
      request(`${cluster.doors.dashboard}/api/actions/drain`, {
        ...{ method: 'POST', headers: { ...JSON_TYPE, origin: 'http://evil.example' }, body: '{"device":"shed"}' }
      })
    ),
    connections('gRPC: garbage', 'a client sends what is no HTTP/2, and frames of 16 MB that do not come', 'grpc', [
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      new Uint8Array([255, 255, 255, 0, 0, 0, 0, 0, 1, 0, 0])
    ]),
    connections(
      'dashboard: viewers that read nothing',
      'a client looks on live over hundreds of connections and takes nothing',
      'dashboard',
      ['GET /api/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n']
    ),
    connections('metrics: read without end', 'a client asks for metrics over hundreds of connections', 'metrics', [
      'GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'.repeat(20)
    ])
  ]
}
