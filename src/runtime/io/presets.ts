import type { WrittenIo } from './io-spec.ts'

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }

/** PaddleOCR's recognition preprocessing: BGR, -1 .. 1, padded with 0, which is mid-grey. */
const TEXT_LINE: WrittenIo = {
  input: {
    kind: 'image',
    resize: { height: 48, fit: 'height', minWidth: 320, maxWidth: 3200, multiple: 32 },
    channels: 'bgr',
    mean: 0.5,
    std: 0.5
  },
  output: { kind: 'ctc', dictionary: 'ppocr_keys_v1' }
}

const CROPPED = { kind: 'image', resize: { shorter: 256 }, crop: { width: 224, height: 224 }, ...IMAGENET } as const

const CLASSES: WrittenIo = { input: CROPPED, output: { kind: 'topk' } }

/** The grey that YOLO's training pads with. */
const PADDING = 114
const CONTAINED = { kind: 'image', resize: { fit: 'contain' }, pad: PADDING / 255 } as const
const FILLED = { kind: 'image', resize: { fit: 'fill' } } as const

const YOLO: WrittenIo = { input: CONTAINED, output: { kind: 'detect', family: 'yolo', labels: 'coco80' } }

/** The built-in choices, written as an `--io` file would be. */
export const PRESETS: Readonly<Record<string, WrittenIo>> = {
  ocr: TEXT_LINE,
  'ppocr-rec': TEXT_LINE,
  classify: CLASSES,
  imagenet: CLASSES,
  detect: YOLO,
  'detect-yolo': YOLO,
  'detect-yolov5': { input: CONTAINED, output: { kind: 'detect', family: 'yolov5', labels: 'coco80' } },
  'detect-yolox': {
    input: { ...CONTAINED, channels: 'bgr', scale: 1, pad: PADDING },
    output: { kind: 'detect', family: 'yolox', labels: 'coco80' }
  },
  'detect-yolonas': {
    input: { ...CONTAINED, pad: PADDING },
    output: { kind: 'detect', family: 'yolonas', labels: 'coco80' }
  },
  'detect-rfdetr': {
    input: { ...FILLED, ...IMAGENET },
    output: { kind: 'detect', family: 'rfdetr', labels: 'coco90' }
  },
  'detect-dfine': {
    input: { ...FILLED, name: 'images' },
    inputs: { orig_target_sizes: { kind: 'size', of: 'tensor' } },
    output: { kind: 'detect', family: 'dfine', labels: 'coco80' }
  },
  'detect-ssd': {
    input: { ...FILLED, layout: 'nhwc' },
    output: { kind: 'detect', family: 'ssd', labels: 'coco90' }
  },
  'detect-nanodet': {
    input: {
      ...FILLED,
      channels: 'bgr',
      scale: 1,
      mean: [103.53, 116.28, 123.675],
      std: [57.375, 57.12, 58.395]
    },
    output: { kind: 'detect', family: 'nanodet', labels: 'coco80' }
  },
  embedding: { input: CROPPED, output: { kind: 'embedding' } },
  raw: { input: { kind: 'npy' }, output: { kind: 'npy' } }
}

export const PRESET_NAMES = Object.keys(PRESETS)
