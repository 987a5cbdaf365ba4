import { sourcesIn } from '../cli/node/sources-in.ts'
import { command } from '../cli/node-command.ts'
import { InvariantError } from '../core/invariant-error.ts'
import { UserError } from '../core/user-error.ts'
import { ACTION_SCHEMAS } from '../dashboard/actions/action-schemas.ts'
import { parseBody } from '../dashboard/parse-body.ts'
import { type ImageTarget, imageBytesToTensor } from '../runtime/io/image-to-tensor.ts'
import { type ImageInput, ioSchema } from '../runtime/io/io-spec.ts'
import { loadSharp } from '../runtime/io/load-sharp.ts'
import { RecordedData, recordedKindOf } from '../runtime/sink/recorded-data.ts'
import { recoverSink } from '../runtime/sink/recover-sink.ts'
import { ServingError } from '../serving/serving-error.ts'
import type { Door } from './fuzz-door.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Of each action of a page, where there is more to read than a name. */
const ACTIONS: readonly (readonly [keyof typeof ACTION_SCHEMAS, object])[] = [
  ['drain', { device: '12D3KooWx' }],
  [
    'add-source',
    { config: 'source:\n  - cam=dir:data,model=ocr,window=4\n  - { name: door, dir: data, weight: 2 }\n' }
  ],
  ['weight', { name: 'cam', weight: 2.5 }]
]

/** What the page of a cluster asks for. */
const PAGE_DOORS: readonly Door[] = ACTIONS.map(([action, body]) => ({
  name: `page: ${action}`,
  samples: [utf8(JSON.stringify(body))],
  take: bytes => {
    const asked = parseBody<object>(bytes, ACTION_SCHEMAS[action])
    if ('config' in asked) sourcesIn(String(asked.config), command)
  },
  isRefusal: error => error instanceof ServingError || error instanceof UserError
}))

const target: ImageTarget = {
  ...{ name: 'x', type: 'float32', rank: 4, size: { width: 32, height: 32 } },
  input: ioSchema.parse({ input: { kind: 'image', resize: { fit: 'contain' } }, output: { kind: 'npy' } })
    .input as ImageInput
}

/** Of 40 by 30 pixels, in the formats that cameras and browsers send. */
const pictures = async (): Promise<Uint8Array[]> => {
  const [width, height] = [40, 30]
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 7919) % 256)
  const sharp = await loadSharp('an image')
  const image = sharp(pixels, { raw: { width, height, channels: 3 } })
  return Promise.all((['jpeg', 'png', 'webp', 'gif'] as const).map(format => image.clone().toFormat(format).toBuffer()))
}

/** Pictures that programs and cameras send. */
const imageDoor = async (): Promise<Door> => ({
  name: 'image',
  samples: await pictures(),
  take: bytes => imageBytesToTensor(bytes, 'a.jpg', target),
  isRefusal: error => error instanceof UserError
})

const lines = [
  {
    source: 'door',
    datum: 7,
    item: 'a.png',
    result: { text: '42' },
    inferenceTime: 0.31,
    attempts: 1,
    availableAt: 1.7e9
  },
  { source: 'door', datum: 8, item: 'b.txt', failed: true, cause: 'is not an image', attempts: 0 },
  { source: 'door', datum: 10, item: '10', dropped: true, reason: 'deadline' }
].map(line => `${JSON.stringify(line)}\n`)

/** What an earlier run, a crash or somebody else left in the file of a sink. */
const SINK_DOORS: readonly Door[] = [true, false].map(isOurs => ({
  name: isOurs ? 'sink opened again' : 'sink of somebody',
  samples: [utf8(lines.join('')), utf8(`${lines.join('')}${lines[0]!.slice(0, 40)}`)],
  take: async bytes => {
    const data = new RecordedData()
    const file = { read: async (at: number, length: number) => bytes.subarray(at, at + length) }
    const { length, torn, strange } = await recoverSink(file, { from: 0, size: bytes.length, isOurs }, entry => {
      if (!data.knows(entry)) data.put(entry.source, entry.datum, { kind: recordedKindOf(entry), item: entry.item })
    })
    if (length + torn !== bytes.length) throw new InvariantError(`${length} and ${torn} of ${bytes.length} bytes`)
    if (strange !== undefined) throw new RangeError('is not a result of tributary')
  },
  isRefusal: error => error instanceof RangeError && error.message.includes('is not a result of tributary')
}))

/** What people, cameras and earlier runs leave: bodies of a page's actions, pictures, files of sinks. */
export const inputDoors = async (): Promise<readonly Door[]> => [...PAGE_DOORS, await imageDoor(), ...SINK_DOORS]
