import { link, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TensorProto_DataType as T } from 'onnx-buf'
import { type DeviceId, deviceId } from '../../src/core/ids.ts'
import { madeUpTensor } from '../../src/core/made-up-tensor.ts'
import { createRng } from '../../src/core/rng.ts'
import { seconds } from '../../src/core/units.ts'
import { encodeNpy } from '../../src/runtime/io/npy.ts'
import { openModel } from '../../src/runtime/onnx/open-model.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import { yoloModel } from '../../src/testing/detector-models.ts'
import { type NodeProcess, runNodeProcess, startNode } from '../../src/testing/node-process.ts'
import { buildModel, floats, node, value } from '../../src/testing/onnx-builder.ts'
import { type HostileServer, openHostileBroker, openHostileCamera } from './hostile-server.ts'

/** Results a second that the source asks for: few, so that a machine that does nothing else has them easily. */
export const RATE = 10
const WIDTH = 256
const LAYERS = 6
const ANSWERS = 16
/** Of each device: so the model takes three of the four. */
export const MEMORY = '640KiB'
/** That differ; each stands there under many names. */
const ITEMS = 64
/** Seconds. */
const LATEST_START = 120

/** What all clusters of a run share: the model, data, and what plain ONNX Runtime makes of them. */
export interface AttackedData {
  readonly folder: string
  readonly model: string
  readonly answers: readonly Float32Array[]
}

/** Of such a size that what goes through stays as large: an answer that is a little off differs by more than is allowed. */
const weights = (name: string, dims: readonly [number, number]) => {
  const rng = createRng(name)
  const scale = 2 / Math.sqrt(dims[0])
  const values = Float32Array.from({ length: dims[0] * dims[1] }, () => scale * (2 * rng.next() - 1))
  return { ...floats(name, dims), rawData: new Uint8Array(values.buffer) }
}

/** Six layers with weights of 256 KiB each, and few numbers at the end: they stand in the sink's lines. */
const layers = (): Uint8Array =>
  buildModel({
    inputs: [value('x', T.FLOAT, [1, WIDTH])],
    outputs: [value('z', T.FLOAT, [1, ANSWERS])],
    weights: [
      ...Array.from({ length: LAYERS }, (_, i) => weights(`w${'w'.repeat(i)}`, [WIDTH, WIDTH])),
      weights('v', [WIDTH, ANSWERS])
    ],
    nodes: [
      ...Array.from({ length: LAYERS }, (_, i) => [
        node('MatMul', [i === 0 ? 'x' : `y${i}`, `w${'w'.repeat(i)}`], [`h${i}`]),
        node('Tanh', [`h${i}`], [`y${i + 1}`])
      ]).flat(),
      node('MatMul', [`y${LAYERS}`, 'v'], ['z'])
    ]
  })

/** @param data so many in all */
export const makeData = async (data: number): Promise<AttackedData> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-attack-'))
  const model = join(folder, 'net.onnx')
  await writeFile(model, layers())
  await mkdir(join(folder, 'data'))
  const whole = await openModel(model)
  const answers: Float32Array[] = []
  for (let i = 0; i < ITEMS; i++) {
    const tensor = madeUpTensor('x', 'float32', [1, WIDTH], createRng(`datum ${i}`))
    await writeFile(fileOf(folder, i), encodeNpy(tensor))
    const [output] = await whole.run([tensor])
    answers.push(new Float32Array(output!.data.slice().buffer))
  }
  await whole.close()
  for (let i = ITEMS; i < data; i++) await link(fileOf(folder, i % ITEMS), fileOf(folder, i))
  return { folder, model, answers }
}

const fileOf = (folder: string, i: number): string => join(folder, 'data', `${String(i).padStart(6, '0')}.npy`)

export interface Doors {
  readonly http: string
  readonly grpc: string
  readonly dashboard: string
  readonly metrics: string
  /** Of a device that wants `token`: pictures over HTTP, the endpoint of Frigate, and a page that acts. */
  readonly pictures: string
  readonly frigate: string
  readonly acting: string
  readonly token: string
}

export interface HonestCluster extends AsyncDisposable {
  /** Of the honest devices. */
  readonly home: string
  /** That is for others, too. */
  readonly folder: string
  readonly invite: string
  /**
   * cam has the source, the model, and doors; shed doors that want a token, and a camera; attic a folder that grows, standard
   * input and a broker; barn a config file.
   */
  readonly nodes: readonly NodeProcess[]
  /** By its name. */
  node(name: string): NodeProcess
  /** That attic reads from. */
  readonly broker: HostileServer
  /** That shed has pictures from. */
  readonly camera: HostileServer
  readonly doors: Doors
  /** Whose new files are data of attic. */
  readonly inbox: string
  /** That barn was started with, and reads again at SIGHUP. */
  readonly config: string
  /** Of the device that has the source and the model. */
  readonly owner: DeviceId
  /** Another device, as anybody would start it. */
  start(name: string, flags: readonly string[]): NodeProcess
  /** Results so far, and how many of them are wrong or twice there. */
  results(): Promise<{ readonly all: number; readonly wrong: number }>
  /** Of the honest ones: bytes of logs, bytes of files. */
  cost(): Promise<{ readonly log: number; readonly files: number }>
  /** Of the largest honest process with those that it has started, megabytes. */
  memory(): Promise<number>
}

let clusters = 0

/** Four devices as processes; the source has begun and its results come. */
export const openHonestCluster = async (
  data: AttackedData,
  flags: readonly string[],
  sourceFlags: readonly string[] = []
): Promise<HonestCluster> => {
  const home = join(data.folder, `cluster-${clusters++}`)
  const files = await makeFiles(home, `${home}-inbox`)
  const sink = join(home, 'sink.jsonl')
  const nodes: NodeProcess[] = []
  const startHonest = (start: typeof startNode, name: string, more: readonly string[]): NodeProcess => {
    const own = name === 'cam' ? sourceFlags : []
    const started = start(name, ['--state', join(home, name), '--memory', MEMORY, ...more, ...flags, ...own])
    nodes.push(started)
    return started
  }
  const source = `cam=dir:${join(data.folder, 'data')},model=net,arrivals=every:${1000 / RATE}ms`
  const cam = startHonest(startNode, 'cam', [
    ...['--model', `${data.model}:net`, '--preset', 'raw', '--sink', sink, '--start-when', '4', '--source', source],
    ...['--serve', '0', '--serve-grpc', '0', '--serve-limit', '16MiB', '--dashboard', '0', '--metrics', '0']
  ])
  const [broker, camera] = [await openHostileBroker(), await openHostileCamera()]
  const close = async (): Promise<void> => {
    for (const { child } of nodes) child.kill('SIGKILL')
    await Promise.all(nodes.map(({ ended }) => ended))
    for (const server of [broker, camera]) server[Symbol.dispose]()
    await rm(home, { recursive: true, force: true })
  }
  try {
    const listening = await cam.event('listening')
    const invite = String(listening['invite'])
    const shed = startHonest(startNode, 'shed', [
      ...['--join', invite, '--model', `${files.pictures}:yolo`, '--io', files.io, '--serve-token-file', files.token],
      ...['--serve', '0', '--serve-frigate', 'tcp://127.0.0.1:*', '--serve-limit', '16MiB', '--dashboard', '0'],
      ...['--source', `eye=video:http://127.0.0.1:${camera.port}/eye,model=yolo`, '--sink', join(home, 'seen.jsonl')]
    ])
    startHonest(runNodeProcess, 'attic', [
      ...['--listen', '127.0.0.1:0', '--no-mdns', '--json-events', '--join', invite, '--preset', 'raw'],
      ...['--sink', join(home, 'live.jsonl'), '--source', `live=watch:${files.inbox},model=net`],
      ...['--source', 'pipe=stdin:,model=net', '--source', `sea=mqtt://127.0.0.1:${broker.port}/yard/+,model=net`]
    ])
    startHonest(startNode, 'barn', ['--join', invite, '--config', files.config])
    const results = () => countResults(sink, data.answers)
    const doors = { ...(await doorsOf(cam)), ...(await lockedDoorsOf(shed)), token: TOKEN }
    await begun(results, cam)
    return {
      ...{ home, folder: data.folder, invite, nodes, doors, results, inbox: files.inbox, config: files.config },
      ...{ broker, camera, owner: deviceId(String(listening['id'])) },
      node: name => nodes.find(each => each.name === name)!,
      start: (name, more) => startNode(name, ['--state', join(data.folder, `state-${clusters++}`), ...more]),
      cost: async () => ({ log: nodes.reduce((sum, each) => sum + each.log().length, 0), files: await sizeOf(home) }),
      memory: async () => Math.max(...(await Promise.all(nodes.map(({ child }) => familyMegabytes(child.pid!))))),
      [Symbol.asyncDispose]: close
    }
  } catch (error) {
    await close()
    throw error
  }
}

const TOKEN = 'a-token-that-only-its-users-know'
/** As barn has it at first. */
export const CONFIG = 'log-format: text\n'

const makeFiles = async (home: string, inbox: string) => {
  const [pictures, io, token, config] = ['yolo.onnx', 'io.yaml', 'token', 'barn.yaml'].map(name =>
    join(home, name)
  ) as [string, string, string, string]
  for (const folder of [home, inbox]) await mkdir(folder)
  await writeFile(pictures, yoloModel())
  await writeFile(io, 'input: { kind: image, resize: { fit: contain } }\noutput: { kind: detect, family: yolo }\n')
  await writeFile(token, TOKEN, { mode: 0o600 })
  await writeFile(config, CONFIG)
  return { inbox, pictures, io, token, config }
}

const begun = async (results: HonestCluster['results'], cam: NodeProcess): Promise<void> => {
  const since = systemClock.now()
  while ((await results()).all === 0) {
    if (systemClock.now() - since > LATEST_START)
      throw new Error(`the honest cluster gave nothing in ${LATEST_START} s; is this machine busy?\n${cam.log()}`)
    await systemClock.sleep(seconds(0.2))
  }
}

const at = (serving: Readonly<Record<string, unknown>>, door: string): string => {
  const { host, port } = serving[door] as { readonly host: string; readonly port: number }
  return `http://${host}:${port}`
}
const urlOf = async (node: NodeProcess, event: string): Promise<string> =>
  new URL(String((await node.event(event))['url'])).origin

const doorsOf = async (node: NodeProcess) => {
  const serving = await node.event('serving')
  const pages = { dashboard: await urlOf(node, 'dashboard'), metrics: await urlOf(node, 'metrics') }
  return { http: at(serving, 'http'), grpc: at(serving, 'grpc'), ...pages }
}

const lockedDoorsOf = async (node: NodeProcess) => {
  const serving = await node.event('serving')
  return {
    ...{ pictures: at(serving, 'http'), frigate: String(serving['frigate']), acting: await urlOf(node, 'dashboard') }
  }
}

/** Of a process and those that it has started. */
const familyMegabytes = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const own = (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024) / 1e6
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const theirs = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map(child => familyMegabytes(Number(child)))
  )
  return theirs.reduce((sum, each) => sum + each, own)
}

const sizeOf = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(
    entries.map(entry =>
      lstat(join(folder, entry)).then(
        found => (found.isFile() ? found.size : 0),
        () => 0
      )
    )
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

interface Line {
  readonly item: string
  readonly result?: { readonly data?: readonly number[] }
}

/** Each line of the sink, compared with what the whole model answers. */
const countResults = async (sink: string, answers: AttackedData['answers']) => {
  const text = await readFile(sink, 'utf8').catch(() => '')
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(line => line !== '')
  const seen = new Set<string>()
  let wrong = 0
  for (const line of lines) {
    const { item, result } = JSON.parse(line) as Line
    if (seen.has(item) || !isRight(numbersIn(result), answers[Number.parseInt(item, 10) % answers.length]!)) wrong++
    seen.add(item)
  }
  return { all: lines.length, wrong }
}

const numbersIn = (result: unknown): readonly number[] => {
  if (typeof result === 'number') return [result]
  if (typeof result !== 'object' || result === null) return []
  const { data } = result as { readonly data?: unknown }
  return Object.values(data === undefined ? result : (data as object)).flatMap(numbersIn)
}

const isRight = (numbers: readonly number[], answer: Float32Array): boolean =>
  numbers.length === answer.length && numbers.every((number, i) => Math.abs(number - answer[i]!) <= 1e-4)
