import { z } from 'zod'
import { ELEMENT_TYPES, type ElementType } from '../../core/tensor.ts'
import { DETECTION_FAMILIES, type DetectionFamilyName } from './detect/detection-families.ts'

/** How items become tensors and results become answers: a preset, or what an `--io` file says. */

const pixels = z.int().min(1).max(65_536)
const finite = z.number().finite()

/** A number, or a fraction as people write it: 1/255. */
const ratio = z.union([
  finite,
  z
    .string()
    .regex(/^\s*-?\d+(\.\d+)?\s*\/\s*\d+(\.\d+)?\s*$/, 'a number or a fraction like 1/255')
    .transform(text => {
      const [a, b] = text.split('/')
      return Number(a) / Number(b)
    })
    .refine(Number.isFinite, 'a fraction whose denominator is not 0')
])

/** One value for all channels, or one for each. */
const perChannel = z.union([finite.transform(n => [n]), z.array(finite).min(1).max(4)])

const NUMERIC_TYPES = Object.keys(ELEMENT_TYPES).filter(type => type !== 'string' && type !== 'bool') as Exclude<
  ElementType,
  'string' | 'bool'
>[]

const resize = z
  .strictObject({
    width: pixels.optional(),
    height: pixels.optional(),
    /** The shorter side becomes this long, the other keeps the aspect. */
    shorter: pixels.optional(),
    /**
     * Without width and height to the model's own. fill: to exactly width x height. cover: keep the aspect, fill, cut what is over at the centre. contain: keep the
     * aspect, fit inside, pad around. height: keep the aspect at this height; the width follows, see below.
     */
    fit: z.enum(['fill', 'cover', 'contain', 'height']).optional(),
    /** With fit: height. Padded on the right to at least minWidth and a multiple of `multiple`, squeezed to maxWidth. */
    minWidth: pixels.optional(),
    maxWidth: pixels.optional(),
    multiple: pixels.optional()
  })
  .superRefine((value, context) => {
    const problem = resizeProblem(value)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })

interface WrittenResize {
  readonly width?: number | undefined
  readonly height?: number | undefined
  readonly shorter?: number | undefined
  readonly fit?: string | undefined
  readonly minWidth?: number | undefined
  readonly maxWidth?: number | undefined
  readonly multiple?: number | undefined
}

const resizeProblem = ({ width, height, shorter, fit, ...widths }: WrittenResize): string | undefined => {
  const ruled = Object.values(widths).some(value => value !== undefined)
  if (shorter !== undefined && (width ?? height ?? fit) !== undefined) return 'shorter stands alone; use crop to cut'
  const isModels = fit !== undefined && fit !== 'height' && height === undefined && width === undefined
  if (isModels) return ruled ? 'minWidth, maxWidth and multiple go with fit: height' : undefined
  if (shorter === undefined && height === undefined)
    return 'needs height (and width), or shorter, or a fit to the model'
  if (fit === 'height' && width !== undefined) return 'with fit: height the width follows from the image; remove width'
  if (fit !== 'height' && shorter === undefined && width === undefined) return 'needs width too, or fit: height'
  if (fit !== 'height' && ruled) return 'minWidth, maxWidth and multiple go with fit: height'
  if ((widths.minWidth ?? 1) > (widths.maxWidth ?? 65_536)) return 'minWidth is larger than maxWidth'
  return undefined
}

const image = z
  .strictObject({
    kind: z.literal('image'),
    /** Of the model's input. @default its only one */
    name: z.string().min(1).optional(),
    /** @default the size that the model asks for, filled */
    resize: resize.optional(),
    /** Cut from the centre, after resizing. */
    crop: z.strictObject({ width: pixels, height: pixels }).optional(),
    layout: z.enum(['nchw', 'nhwc']).default('nchw'),
    channels: z.enum(['rgb', 'bgr', 'gray']).default('rgb'),
    /** Element = (pixel * scale - mean) / std, pixel 0 .. 255. @default 1/255 for floats, 1 for integers */
    scale: ratio.optional(),
    mean: perChannel.default([0]),
    std: perChannel.refine(values => values.every(value => value !== 0), 'must not be 0').default([1]),
    /** Value of padding in the tensor. */
    pad: finite.default(0),
    /** @default the model's own */
    type: z.enum(NUMERIC_TYPES).optional()
  })
  .refine(({ crop, resize: r }) => crop === undefined || r?.fit === undefined || r.fit === 'fill', {
    path: ['crop'],
    message: 'does not go with fit: cover, contain or height, which set the size themselves'
  })
  .superRefine(({ channels, mean, std }, context) => {
    const count = channels === 'gray' ? 1 : 3
    for (const [field, values] of Object.entries({ mean, std }))
      if (values.length !== 1 && values.length !== count)
        context.addIssue({
          code: 'custom',
          path: [field],
          message: `${values.length} values for the ${count} channel${count === 1 ? '' : 's'} of ${channels}; give one for all or one for each`
        })
  })

const npyInput = z.strictObject({ kind: z.literal('npy') })

/** Of an output. */
const outputName = z.string().min(1).optional()
/** One label a line, or a JSON list; `coco80` and `coco90` are built in. */
const labels = z.string().min(1).optional()
const share = z.number().min(0).max(1)

const detect = z.strictObject({
  kind: z.literal('detect'),
  family: z.enum(Object.keys(DETECTION_FAMILIES) as [DetectionFamilyName, ...DetectionFamilyName[]]),
  labels,
  /** Scores at or below it are no detections. */
  threshold: share.default(0.4),
  /** Of two boxes that overlap by more, the likelier stays; families that suppress inside the model do without. */
  iou: share.default(0.4),
  /** Whether only boxes of one class suppress each other. */
  byClass: z.boolean().default(true),
  /** At most so many, the likeliest. */
  limit: z.int().min(1).max(10_000).default(100)
})

const embedding = z.strictObject({
  kind: z.literal('embedding'),
  name: outputName,
  /** Of an output [1, tokens, size]: their mean, or the first. */
  pool: z.enum(['mean', 'first']).default('mean'),
  /** To length 1. */
  normalize: z.boolean().default(true)
})

const output = z.discriminatedUnion('kind', [
  detect,
  embedding,
  z.strictObject({
    kind: z.literal('ctc'),
    /** One character a line; `ppocr_keys_v1` is built in. */
    dictionary: z.string().min(1),
    /** Class of the blank: before the dictionary's first, or after its last character. */
    blank: z.enum(['first', 'last']).default('first'),
    /** Whether a space follows the dictionary's last character. */
    space: z.boolean().default(true)
  }),
  z.strictObject({
    kind: z.literal('topk'),
    /** @default the first */
    name: outputName,
    /** @default 5, or all where there are fewer */
    k: z.int().min(1).max(1000).optional(),
    labels
  }),
  z.strictObject({
    kind: z.literal('npy'),
    /** Outputs of at most this many elements go into the sink itself. */
    inline: z.int().min(0).max(10_000).default(64)
  })
])

type Nested = number | readonly Nested[]
const nested: z.ZodType<Nested, Nested> = z.lazy(() => z.union([finite, z.array(nested).max(MOST_ELEMENTS)]))
const MOST_ELEMENTS = 100_000

/** What an input is made of that the item itself does not fill. */
const otherInput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('size'),
    /** Of the tensor that the image became, or of the item's image, in pixels. */
    of: z.enum(['tensor', 'image']).default('tensor'),
    order: z.enum(['height,width', 'width,height']).default('height,width')
  }),
  z.strictObject({
    kind: z.literal('constant'),
    /** A number for all elements, or a list (of lists) of them. */
    value: nested
  }),
  /** ITEM.INPUT.npy, beside the item. */
  npyInput
])

export const ioSchema = z
  .strictObject({
    /** Of inputs that the item itself does not fill, by name. */
    inputs: z.record(z.string().min(1), otherInput).default({}),
    input: z.preprocess(
      written => (isRecord(written) && written['kind'] === undefined ? { kind: 'image', ...written } : written),
      z.discriminatedUnion('kind', [image, npyInput])
    ),
    output
  })
  .refine(({ input, output: { kind } }) => kind !== 'detect' || input.kind === 'image', {
    path: ['output'],
    message: 'kind detect tells boxes in pixels of images; it goes with input kind image'
  })

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export type WrittenIo = z.input<typeof ioSchema>
export type OtherInput = z.output<typeof otherInput>
export type ImageInput = z.output<typeof image>
export type OutputSpec = z.output<typeof output>

/** Checked, with its dictionary and labels read. */
export interface IoSpec {
  /** What messages call it: `preset imagenet`, `io door.yaml`. */
  readonly origin: string
  readonly input: ImageInput | z.output<typeof npyInput>
  /** Of other inputs, by name. */
  readonly inputs: Readonly<Record<string, OtherInput>>
  readonly output: OutputSpec
  /** By class, blank included; for `ctc`. */
  readonly characters: readonly string[]
  /** By class; empty where there are none. */
  readonly labels: readonly string[]
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': ['input', 'inputs', 'output'],
  'input.resize': Object.keys(resize.shape),
  'input.crop': ['width', 'height'],
  'input:image': Object.keys(image.shape),
  'input:npy': ['kind'],
  'output:ctc': ['kind', 'dictionary', 'blank', 'space'],
  'output:detect': Object.keys(detect.shape),
  'output:embedding': Object.keys(embedding.shape),
  'output:topk': ['kind', 'name', 'k', 'labels'],
  'output:npy': ['kind', 'inline']
}

/** The keys that may stand at a place of an `--io` file; those of input and output depend on their kind. */
export const knownIoKeys = (written: unknown, path: readonly PropertyKey[]): readonly string[] => {
  const place = path.join('.')
  if (path[0] === 'inputs' && path.length === 2) return ['kind', 'of', 'order', 'value']
  const room = isRecord(written) ? written[place] : undefined
  const kind = isRecord(room) ? String(room['kind'] ?? 'image') : ''
  return KEYS[place] ?? KEYS[`${place}:${kind}`] ?? []
}
