import { nearest } from '../../core/nearest.ts'
import { UserError } from '../../core/user-error.ts'
import { bertTiny } from './bert-tiny.ts'
import { densenet121 } from './densenet121.ts'
import { gpt2Small } from './gpt2-small.ts'
import { inceptionV3 } from './inception-v3.ts'
import { mobilenetV2 } from './mobilenet-v2.ts'
import { resnet50 } from './resnet50.ts'
import { resnet56 } from './resnet56.ts'
import { vgg16 } from './vgg16.ts'
import type { ZooGraph } from './zoo-graph.ts'

interface ZooEntry {
  readonly what: string
  /** For models that read words: how many by default, and at most. */
  readonly sequence?: { readonly byDefault: number; readonly atMost: number }
  readonly build: (sequence: number) => ZooGraph
}

/** The shapes that papers measure. */
export const ZOO: Readonly<Record<string, ZooEntry>> = {
  resnet56: { what: 'ResNet-56 for CIFAR-10, 32 x 32', build: resnet56 },
  resnet50: { what: 'ResNet-50 (v1.5), 224 x 224', build: resnet50 },
  mobilenetv2: { what: 'MobileNetV2, width 1.0, 224 x 224', build: mobilenetV2 },
  vgg16: { what: 'VGG-16, 224 x 224', build: vgg16 },
  inception: { what: 'Inception-v3, 299 x 299', build: inceptionV3 },
  densenet121: { what: 'DenseNet-121, 224 x 224', build: densenet121 },
  'gpt2-small-shaped': {
    what: 'GPT-2 small, 12 layers, 768 wide',
    sequence: { byDefault: 64, atMost: 1024 },
    build: gpt2Small
  },
  'bert-tiny': { what: 'BERT-tiny, 2 layers, 128 wide', sequence: { byDefault: 64, atMost: 512 }, build: bertTiny }
}

/** @throws UserError naming the nearest known model, or why the sequence does not fit */
export const zooGraph = (name: string, sequence?: number): ZooGraph => {
  const entry = Object.hasOwn(ZOO, name) ? ZOO[name]! : unknown(name)
  if (entry.sequence === undefined) {
    if (sequence === undefined) return entry.build(0)
    const texts = Object.keys(ZOO).filter(known => ZOO[known]!.sequence !== undefined)
    throw new UserError(`sequence ${sequence}: ${name} reads an image; only ${texts.join(' and ')} have a sequence`)
  }
  const { byDefault, atMost } = entry.sequence
  const length = sequence ?? byDefault
  if (!(Number.isInteger(length) && length >= 1 && length <= atMost)) {
    throw new UserError(`sequence ${length}: ${name} takes a whole number from 1 to ${atMost}`)
  }
  return entry.build(length)
}

const unknown = (name: string): never => {
  const known = Object.keys(ZOO)
  const near = nearest(name, known)
  const hint = near === undefined ? `it has ${known.join(', ')}` : `did you mean ${near}? It has ${known.join(', ')}`
  throw new UserError(`the zoo has no model "${name}"; ${hint}`)
}
