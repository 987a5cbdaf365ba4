import { execFile } from 'node:child_process'
import { mkdir, open, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { joinCluster } from '../../src/index.ts'
import { encodeNpy } from '../../src/runtime/io/npy.ts'
import { type Attack, again } from './attack.ts'
import { CONFIG } from './honest-cluster.ts'

// What comes in by files and by programs: of whoever may write into a folder, into a config file, or hands items over.

const sparse = async (path: string): Promise<void> => {
  await using file = await open(path, 'w')
  await file.truncate(20e9)
}

/** Each is one thing that may be found in a folder that others write into. */
const oddFiles: readonly ((path: string) => Promise<unknown>)[] = [
  path => writeFile(`${path}.npy`, 'no array'),
  path => writeFile(`${path}\u001b[31m\n.npy`, encodeNpy({ type: 'float32', dims: [3], data: new Uint8Array(12) })),
  path => writeFile(`${path}.npy`, npyHead(`(${2 ** 40}, 256)`)),
  path => writeFile(`${path}.npy`, npyHead(`(${'1, '.repeat(1000)})`)),
  path => symlink('/etc/passwd', `${path}.npy`),
  path => symlink('/dev/zero', `${path}.npy`),
  path => symlink(`${path}.npy`, `${path}.npy`),
  path => promisify(execFile)('mkfifo', [`${path}.npy`]),
  path => mkdir(`${path}.npy`),
  path => sparse(`${path}.npy`)
]

const npyHead = (shape: string): Uint8Array => {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8])
  return new Uint8Array(Buffer.concat([head, Buffer.from(text)]))
}

const folder: Attack = {
  name: 'a folder that grows',
  what: 'who may write into it puts there pipes, links to devices and to themselves, folders, 20 GB of nothing, lies about shapes',
  once: '',
  unit: 'files',
  isQuick: true,
  play: async ({ cluster, signal, count }) => {
    let turn = 0
    await again(signal, 0.02, async () => {
      const path = join(cluster.inbox, `odd-${process.hrtime.bigint()}`)
      await oddFiles[turn++ % oddFiles.length]!(path)
      count()
    })
  }
}

/** Anchors that stand for each other: a billion entries in a few lines. */
const yamlBomb = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].reduce(
  (text, key, i, keys) =>
    `${text}${key}: &${key} [${Array(10)
      .fill(i === 0 ? 'lol' : `*${keys[i - 1]}`)
      .join(', ')}]\n`,
  ''
)

const configs: readonly (string | Uint8Array)[] = [
  ...[yamlBomb, `source: ${'['.repeat(100_000)}`, `${CONFIG}memory: 1TiB\n`, 'source: [x=dir:/nowhere]\n'],
  ...['__proto__: { memory: 1 }\n', 'name: cam\nstate: /tmp\n', 'log-format: [text, json]\n', '', '%YAML 9.9\n---\n'],
  ...[new Uint8Array(100_000).fill(255), `model: [${'x.onnx, '.repeat(50_000)}]`, '- - -\n?\n']
]

const config: Attack = {
  name: 'a config read again',
  what: 'a config file is written over with bombs, halves, bytes that are no text and flags that may not change, and read again',
  once: '',
  unit: 'files',
  isQuick: true,
  play: async ({ cluster, signal, count }) => {
    const barn = cluster.node('barn')
    let turn = 0
    await again(signal, 0.1, async () => {
      const draft = `${cluster.config}.draft`
      await writeFile(draft, configs[turn++ % configs.length]!)
      await rename(draft, cluster.config)
      barn.child.kill('SIGHUP')
      count()
    }).finally(() => writeFile(cluster.config, CONFIG))
  },
  fault: ({ cluster }) => {
    const barn = cluster.node('barn')
    return barn.log().includes('config refused') ? undefined : 'no config was refused'
  }
}

const hostile = (): object =>
  new Proxy(
    {},
    {
      get: () => {
        throw new Error('no')
      }
    }
  )

/** Whoever is given it need not look whether it comes. */
const rejected = (): Promise<never> => {
  const never = Promise.reject(new Error('no'))
  never.catch(() => {})
  return never
}

/** What a program may hand over that is no item. */
const badItems: readonly (() => unknown)[] = [
  () => null,
  () => 'text',
  () => hostile(),
  () => ({ x: { dims: [2 ** 40], data: new Float32Array(1) } }),
  () => ({ x: { dims: [1, 256], data: new Float64Array(256) } }),
  () => ({ x: { dims: [-1, Number.NaN], data: [] } }),
  () => ({ x: { type: 'float32', dims: [1, 256], data: Array(256).fill('1') } }),
  () => ({ tensors: hostile() }),
  () => rejected(),
  () => ({ x: { dims: [1, 256], data: new Float32Array(256).fill(Number.NaN) } })
]

const library: Attack = {
  name: 'library: items that are none',
  what: 'a program that has joined hands over items without tensors, of other shapes, that throw, and numbers that are none',
  once: '',
  unit: 'items',
  play: async ({ cluster, signal, count, folder: state, note }) => {
    await using mine = await joinCluster({
      ...{ name: 'program', state: join(state, 'program'), join: cluster.invite, listen: '127.0.0.1:0', mdns: false },
      memory: 0
    })
    const source = await mine.addSource({ name: 'odd', model: 'net', drop: 'newest' })
    const kinds = new Map<string, number>()
    let turn = 0
    await again(signal, 0.01, async () => {
      count()
      const kind = await source.send(badItems[turn++ % badItems.length]!() as never).then(
        outcome => outcome.kind,
        error => (error as Error).name
      )
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    }).finally(() => note([...kinds].map(([kind, times]) => `${times} x ${kind}`).join(', ')))
  }
}

export const INPUT_ATTACKS: readonly Attack[] = [folder, config, library]
