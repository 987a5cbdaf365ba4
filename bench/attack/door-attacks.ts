import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { request } from 'undici'
import { FrigateClient } from '../../src/testing/frigate-client.ts'
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
  ask: (stage: Stage) => Promise<{ readonly statusCode: number; readonly body: { dump(): Promise<void> } }>,
  once = ''
): Attack => {
  const codes = new Map<number, number>()
  return {
    ...{ name, what, once, unit: 'requests', isQuick: true },
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
/** Zeros: a thousandth of them is sent. */
const bomb = (): Uint8Array => gzipSync(Buffer.alloc(128 * 2 ** 20), { level: 1 })

const lies: readonly object[] = [
  { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2 ** 40], data: [1] }] },
  { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 256], data: [] }] },
  { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 256], parameters: { binary_data_size: 2 ** 52 } }] },
  { inputs: Array.from({ length: 10_000 }, () => ({ name: 'x', datatype: 'BYTES', shape: [1], data: ['y'] })) },
  { inputs: { length: 3 } },
  {}
]

const badOrders: readonly (readonly [string, unknown])[] = [
  ['drain', { device: '../../x' }],
  ['drain', { device: ['shed'] }],
  ['drain', '{"device":"shed","__proto__":{"x":1}}'],
  [
    'add-source',
    { config: `a: &a [1]\n${'b: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n'.replaceAll('b', 'c')}source: [*a]` }
  ],
  ['add-source', { config: `source: ${'['.repeat(8000)}` }],
  ['add-source', { config: `source: ${'&a [*a,'.repeat(2000)}` }],
  ['add-source', { config: 'source: [x=dir:/nowhere,model=net]\nsink: [/tmp/evil]' }],
  ['add-source', { config: 'model: [/etc/passwd]' }],
  ['add-source', { config: 'source: ["x=dir:/nowhere/at/all,model=net,window=999999999999"]' }],
  ['add-source', { config: 'source: ["x=dir:/etc/passwd"]' }],
  ['weight', '{"name":"cam","weight":1e400}'],
  ['weight', { name: 'cam', weight: -1 }],
  ['weight', { name: 'cam', weight: '1' }],
  ['remove-source', { name: 'cam'.repeat(1000) }],
  ['invite', { of: 'everybody' }],
  ['invite', '{'.repeat(100_000)],
  ['nothing', {}]
]

const badForms = (token: string): readonly (readonly [string, Uint8Array])[] => {
  const part = (name: string, text: string, file = ''): string =>
    `--x\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n${text}\r\n`
  const form = 'multipart/form-data; boundary=x'
  const picture = '; filename="a.jpg"'
  const end = '--x--\r\n'
  return [
    [form, Buffer.from(Array.from({ length: 1000 }, (_, i) => part(`f${i}`, token)).join('') + end)],
    [form, Buffer.from(part('image', 'x'.repeat(1_000_000), picture))],
    [form, Buffer.from(part('image', part('image', part('image', ''), picture), picture) + end)],
    [form, Buffer.concat([Buffer.from(part('image', '', picture)), randomBytes(100_000)])],
    [`multipart/form-data; boundary=${'y'.repeat(2000)}`, Buffer.from(part('image', 'no picture', picture) + end)]
  ]
}

/** A hundred million pixels of one colour take some kilobytes. */
const pictures: Attack = {
  name: 'DeepStack: pictures of 100 megapixels',
  what: 'a client with the key sends ten pictures at a time of as many pixels as are allowed, and of more',
  once: '',
  unit: 'pictures',
  play: async stage => {
    const { doors } = stage.cluster
    const sides = [9_999, 16_000]
    const files = await Promise.all(sides.map(blackPicture))
    const codes = new Map<number, number>()
    const ask = async (file: Uint8Array): Promise<void> => {
      const form = new FormData()
      form.set('image', new Blob([new Uint8Array(file)]), 'a.png')
      const headers = { authorization: `Bearer ${doors.token}` }
      const answer = await fetch(`${doors.pictures}/v1/vision/detection`, { method: 'POST', headers, body: form })
      await answer.arrayBuffer()
      codes.set(answer.status, (codes.get(answer.status) ?? 0) + 1)
    }
    await again(stage.signal, 0, async () => {
      stage.count(10)
      await Promise.all(Array.from({ length: 10 }, (_, i) => ask(files[i % 2]!).catch(() => {})))
    }).finally(() => stage.note([...codes].map(([code, times]) => `${times} x ${code}`).join(', ')))
  }
}

const blackPicture = async (side: number): Promise<Uint8Array> => {
  const { default: sharp } = await import('sharp')
  const create = { width: side, height: side, channels: 3 as const, background: 'black' }
  return sharp({ create, limitInputPixels: false }).png().toBuffer()
}

const frigate: Attack = {
  name: 'Frigate: models and pictures that are none',
  what: 'a client brings forty models that are none, by names of other folders, and asks for pictures of other sizes',
  once: '',
  unit: 'messages',
  isQuick: true,
  play: async stage => {
    const clients = Array.from({ length: 4 }, () => new FrigateClient(stage.cluster.doors.frigate))
    stage.signal.addEventListener('abort', () => {
      for (const client of clients) client.close()
    })
    let turn = 0
    await again(stage.signal, 0.02, async () => {
      const sending = clients.map(client => {
        const messages = badFrigate(turn++)
        stage.count()
        return client.request(messages, 2000).catch(() => {})
      })
      await Promise.all(sending)
    })
  },
  fault: ({ cluster }) =>
    existsSync(join(cluster.home, 'evil.onnx')) ? 'a file came to where it is not to be' : undefined
}

const badFrigate = (turn: number): readonly (string | Uint8Array)[] => {
  const name = ['../../evil.onnx', `model ${turn % 40}.onnx`, 'x'.repeat(5000), 'yolo.onnx', '\u001b[31m\n.onnx'][
    turn % 5
  ]!
  return [
    [JSON.stringify({ model_data: true, model_name: name }), randomBytes(10_000)],
    [JSON.stringify({ model_request: true, model_name: name })],
    [JSON.stringify({ shape: [1, 3, 2 ** 20, 2 ** 20], dtype: 'float32', model_type: 'yologeneric' }), randomBytes(48)],
    [JSON.stringify({ shape: [-1, 3, 2, 2], dtype: 'object', model_type: '__proto__' }), randomBytes(48)],
    ['{'.repeat(50_000), new Uint8Array()]
  ][turn % 5]!
}

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
      'a client sends 128 MiB of zeros, packed into half of one, where 16 MiB are allowed',
      ({ cluster }) => {
        packed ??= bomb()
        const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' }
        return request(`${cluster.doors.http}${INFER}`, { method: 'POST', headers, body: packed })
      }
    ),
    requests(
      'HTTP: brackets and numbers without end',
      'a client sends 15 MB of brackets, and of numbers',
      ({ cluster }) => {
        const body = turn++ % 2 === 0 ? '['.repeat(15e6) : `{"inputs":[${'1,'.repeat(7.5e6)}1]}`
        return request(`${cluster.doors.http}${INFER}`, { method: 'POST', headers: JSON_TYPE, body })
      },
      '100 MB of brackets take 31 s and 5.4 GB'
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
    requests(
      'dashboard: orders without a token',
      'a client orders what the page may, with none, an empty, and a wrong token',
      ({ cluster }) => {
        const headers = [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer wrong-token-of-somebody' }][
          turn++ % 3
        ]!
        const action = ['drain', 'add-source', 'remove-source', 'weight', 'invite'][turn % 5]!
        const body = JSON.stringify(action === 'invite' ? {} : { device: 'shed', name: 'cam', config: 'source: []' })
        return request(`${cluster.doors.acting}/api/actions/${action}`, {
          ...{ method: 'POST', headers: { ...JSON_TYPE, ...headers }, body }
        })
      }
    ),
    requests(
      'dashboard: orders that are none',
      'who has the token sends bombs of YAML, other flags than sources, numbers that are none, and ids of no device',
      ({ cluster }) => {
        const [action, body] = badOrders[turn++ % badOrders.length]!
        const headers = { ...JSON_TYPE, authorization: `Bearer ${cluster.doors.token}` }
        return request(`${cluster.doors.acting}/api/actions/${action}`, {
          ...{ method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
        })
      }
    ),
    requests(
      'DeepStack: forms that are none',
      'a client with the key sends forms of a thousand parts, without an end, within each other, and pictures that are none',
      ({ cluster }) => {
        const [type, body] = badForms(cluster.doors.token)[turn++ % 5]!
        const headers = { 'content-type': type, authorization: `Bearer ${cluster.doors.token}` }
        return request(`${cluster.doors.pictures}/v1/vision/detection`, { method: 'POST', headers, body })
      }
    ),
    pictures,
    frigate,
    connections('metrics: read without end', 'a client asks for metrics over hundreds of connections', 'metrics', [
      'GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'.repeat(20)
    ])
  ]
}
