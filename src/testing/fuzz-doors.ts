import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { Command } from 'commander'
import { parse } from 'yaml'
import { parseConfig } from '../cli/config/parse-config.ts'
import { command } from '../cli/node-command.ts'
import { parseScenario } from '../core/scenario.ts'
import { UserError } from '../core/user-error.ts'
import { fromWire, toWire } from '../runtime/cluster/manifest-codec.ts'
import { placementFromWire } from '../runtime/cluster/placement-codec.ts'
import { stateFault } from '../runtime/cluster/state-fault.ts'
import { ModelInferRequestSchema } from '../runtime/generated/inference/inference_pb.ts'
import {
  AdmissionSchema,
  BlobRequestSchema,
  ControlSchema,
  DeviceStateSchema,
  ManifestSchema,
  PlacementSchema
} from '../runtime/generated/tributary/v1/wire_pb.ts'
import { decodeNpy, encodeNpy } from '../runtime/io/npy.ts'
import { FrameError } from '../runtime/network/frame-parser.ts'
import { decodeInvite, encodeInvite } from '../runtime/network/invite.ts'
import { MessageParser } from '../runtime/network/message-parser.ts'
import { readForm } from '../serving/deepstack/read-form.ts'
import { readFrigateRequest } from '../serving/frigate/frigate-request.ts'
import { callOf } from '../serving/grpc/infer-codec.ts'
import { type InferHead, readInferRequest } from '../serving/http/read-infer-request.ts'
import { RecentHeads } from '../serving/http/recent-heads.ts'
import { readConfig } from '../serving/read-config.ts'
import { ServingError } from '../serving/serving-error.ts'
import type { Door } from './fuzz-door.ts'
import { toyModel } from './simulated/toy-model.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const isUser = (error: unknown): boolean => error instanceof UserError
const isServing = (error: unknown): boolean => error instanceof ServingError
/** Of the wire: whoever calls it refuses what it throws, and says its words to the sender. */
const isPlain = (error: unknown): boolean =>
  error instanceof Error && ![TypeError, ReferenceError, RangeError].some(kind => error.constructor === kind)

const manifest = toWire(
  toyModel({ name: 'net', salt: 1, work: [0.1, 0.1], weights: [1e6, 1e6], length: 8, skips: true }).manifest
)

const state: MessageInitShape<typeof DeviceStateSchema> = {
  ...{ device: '12D3KooWx', name: 'shed', sequence: 3n, speed: 1, memory: 2n ** 30n, life: 9n, elects: '12D3KooWx' },
  models: [{ model: manifest.id, owner: true, name: 'net', blocks: [{ block: 1, seconds: 0.1 }], times: [0.1, 0.2] }],
  links: [{ to: '12D3KooWy', rate: 1e6, latency: 0.01, medium: '' }]
}

const placement: MessageInitShape<typeof PlacementSchema> = {
  ...{ term: 2, number: 3, planner: '12D3KooWx' },
  models: [{ model: manifest.id, devices: [{ device: '12D3KooWx', blocks: [0, 1] }], unplaced: [] }]
}

const lengthFirst = (message: Uint8Array): Uint8Array => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(message.length)
  return new Uint8Array(Buffer.concat([head, message]))
}

const control = toBinary(
  ControlSchema,
  create(ControlSchema, {
    id: 4n,
    body: {
      case: 'notice',
      value: { body: { case: 'custody', value: { source: 'cam@porch', datum: 7n, token: new Uint8Array(16) } } }
    }
  })
)

/** What goes between devices: decoded, and checked as it is where it comes in. */
export const WIRE_DOORS: readonly Door[] = [
  {
    name: 'control stream',
    samples: [lengthFirst(control), Buffer.concat([lengthFirst(control), lengthFirst(control)])],
    take: bytes => {
      const parser = new MessageParser(1 << 20, message => {
        try {
          fromBinary(ControlSchema, message)
        } catch {
          throw new FrameError('malformed', 'a control message that cannot be decoded')
        }
      })
      parser.feed(bytes)
    },
    isRefusal: error => error instanceof FrameError
  },
  {
    name: 'gossip',
    samples: [toBinary(DeviceStateSchema, create(DeviceStateSchema, state))],
    take: bytes =>
      decodedThen(DeviceStateSchema, bytes, state => {
        const fault = stateFault(state)
        if (fault !== undefined) throw new Error(fault)
      }),
    isRefusal: isPlain
  },
  {
    name: 'placement',
    samples: [toBinary(PlacementSchema, create(PlacementSchema, placement))],
    take: bytes => decodedThen(PlacementSchema, bytes, placementFromWire),
    isRefusal: isPlain
  },
  {
    name: 'manifest',
    samples: [toBinary(ManifestSchema, manifest)],
    take: bytes => decodedThen(ManifestSchema, bytes, fromWire),
    isRefusal: isPlain
  },
  {
    name: 'blobs',
    samples: [
      toBinary(BlobRequestSchema, create(BlobRequestSchema, { sha256: 'a'.repeat(64), offset: 9n, length: 9n }))
    ],
    take: bytes => decodedThen(BlobRequestSchema, bytes, request => request),
    isRefusal: isPlain
  },
  {
    name: 'admission',
    samples: [toBinary(AdmissionSchema, create(AdmissionSchema, { body: { case: 'verdict', value: {} } }))],
    take: bytes => decodedThen(AdmissionSchema, bytes, admission => admission),
    isRefusal: isPlain
  },
  {
    name: 'invite',
    samples: [utf8(encodeInvite({ key: new Uint8Array(32).fill(7), addresses: ['10.0.0.1:6174', '[fe80::1]:6174'] }))],
    take: bytes => decodeInvite(textOf(bytes)),
    isRefusal: isUser
  }
]

/** What is no message is refused before; what is one is looked at. */
const decodedThen = <S extends Parameters<typeof fromBinary>[0], R>(
  schema: S,
  bytes: Uint8Array,
  look: (message: never) => R
): R => {
  let message: ReturnType<typeof fromBinary>
  try {
    message = fromBinary(schema, bytes)
  } catch (error) {
    throw new Error('it cannot be decoded', { cause: error })
  }
  return look(message as never)
}

/** Above this file, as it is written and as it is compiled. */
const SCENARIOS = ['../../scenarios', '../../../scenarios']
  .map(path => join(import.meta.dirname, path))
  .find(path => existsSync(path))!

const CONFIG = `name: porch
memory: 64MiB
model: [rec.onnx:ocr]
source: ["cam=dir:data,model=ocr,window=4"]
sink: [out.jsonl]
listen: [0.0.0.0:6174]
`

const nodeOptions = (): Command['options'] => {
  const node = new Command('node')
  for (const option of command.options) node.addOption(option)
  return node.options
}

/** Files that people write, and data. */
export const FILE_DOORS: readonly Door[] = [
  {
    name: 'scenario',
    samples: readdirSync(SCENARIOS)
      .filter(file => file.endsWith('.yaml'))
      .slice(0, 3)
      .map(file => readFileSync(join(SCENARIOS, file))),
    take: bytes => {
      let value: unknown
      try {
        value = parse(textOf(bytes), { maxAliasCount: 100 })
      } catch {
        throw new UserError('no YAML')
      }
      parseScenario(value, 'scenario.yaml')
    },
    isRefusal: isUser
  },
  {
    name: 'node config',
    samples: [utf8(CONFIG)],
    take: bytes => parseConfig(textOf(bytes), 'node.yaml', nodeOptions()),
    isRefusal: isUser
  },
  {
    name: 'npy',
    samples: [
      encodeNpy({ type: 'float32', dims: [2, 3], data: new Uint8Array(24) }),
      encodeNpy({ type: 'int64', dims: [], data: new Uint8Array(8) })
    ],
    take: decodeNpy,
    isRefusal: error => error instanceof RangeError
  }
]

const inferJson = JSON.stringify({
  id: '7',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2.5, -3, 4e9] }],
  outputs: [{ name: 'y', parameters: { binary_data: true } }]
})
const binaryHead = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } }]
})
const BOUNDARY = 'xxBOUNDARYxx'
const form = [
  `--${BOUNDARY}`,
  'content-disposition: form-data; name="image"; filename="a.jpg"',
  'content-type: image/jpeg',
  '',
  'not really a picture',
  `--${BOUNDARY}`,
  'content-disposition: form-data; name="min_confidence"',
  '',
  '0.4',
  `--${BOUNDARY}--`,
  ''
].join('\r\n')
const frigate = JSON.stringify({ shape: [1, 3, 2, 2], dtype: 'float32', model_type: 'yolox' })

/** What programs ask a node that serves. */
export const SERVING_DOORS: readonly Door[] = [
  {
    name: 'OIP in JSON',
    samples: [utf8(inferJson)],
    take: bytes => readInferRequest(bytes, undefined, new RecentHeads<InferHead>()),
    isRefusal: isServing
  },
  {
    name: 'OIP with binary data',
    samples: [new Uint8Array(Buffer.concat([Buffer.from(binaryHead), Buffer.alloc(16)]))],
    take: bytes => readInferRequest(bytes, binaryHead.length, new RecentHeads<InferHead>()),
    isRefusal: isServing
  },
  {
    name: 'OIP in gRPC',
    samples: [
      toBinary(
        ModelInferRequestSchema,
        create(ModelInferRequestSchema, {
          ...{ modelName: 'net', id: '7', rawInputContents: [new Uint8Array(16)] },
          inputs: [{ name: 'x', datatype: 'FP32', shape: [1n, 4n] }]
        })
      )
    ],
    take: bytes => decodedThen(ModelInferRequestSchema, bytes, callOf),
    isRefusal: isPlain
  },
  {
    name: 'DeepStack form',
    samples: [utf8(form)],
    take: bytes => readForm(`multipart/form-data; boundary=${BOUNDARY}`, bytes),
    isRefusal: isServing
  },
  {
    name: 'Frigate header',
    samples: [utf8(frigate), utf8(JSON.stringify({ model_request: true, model_name: 'a.onnx' }))],
    take: bytes => readFrigateRequest(bytes, Buffer.alloc(48)),
    isRefusal: isPlain
  },
  {
    name: 'model configuration',
    samples: [utf8(JSON.stringify({ name: 'net', max_batch_size: 8 }))],
    take: bytes => readConfig(textOf(bytes), 'net', 64),
    isRefusal: isServing
  }
]
