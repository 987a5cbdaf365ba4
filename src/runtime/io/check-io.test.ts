import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { TensorSpec } from '../../core/tensor.ts'
import { createDataPort } from './create-data-port.ts'
import { type IoChoice, readIoSpec } from './read-io-spec.ts'

// Whatever an --io file or a preset can say that contradicts the model is refused before any datum, in words that name
// the field, its value, what the model has, and the remedy.

const spec = (name: string, shape: TensorSpec['shape'], type: TensorSpec['type'] = 'float32'): TensorSpec => ({
  name,
  type,
  shape
})
const IMAGE = spec('x', ['N', 3, 'H', 'W'])
const SCORES = spec('y', [1, 10])

const yaml = (text: string, files: Readonly<Record<string, string>> = {}): IoChoice => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-io-'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  const ioFile = join(folder, 'io.yaml')
  writeFileSync(ioFile, text)
  return { ioFile }
}
const open = async (choice: IoChoice, input: TensorSpec, outputs: readonly TensorSpec[]) =>
  createDataPort({ spec: await readIoSpec(choice), inputs: [input], outputs, resultsFolder: '' })

const WRONG: readonly (readonly [what: string, io: string, input: TensorSpec, outputs: TensorSpec[], words: RegExp])[] =
  [
    [
      'a mean for two channels',
      'input: { mean: [0.5, 0.5] }\noutput: { kind: npy }',
      IMAGE,
      [SCORES],
      /input\.mean.*2 values for the 3 channels of rgb; give one for all or one for each/
    ],
    [
      'a std for four channels',
      'input: { std: [1, 1, 1, 1] }\noutput: { kind: npy }',
      IMAGE,
      [SCORES],
      /input\.std.*4 values for the 3 channels/
    ],
    [
      'three means for gray',
      'input: { channels: gray, mean: [1, 2, 3] }\noutput: { kind: npy }',
      spec('x', [1, 1, 8, 8]),
      [SCORES],
      /input\.mean.*3 values for the 1 channel of gray/
    ],
    [
      'gray for three channels',
      'input: { channels: gray }\noutput: { kind: npy }',
      IMAGE,
      [SCORES],
      /wants 3 channels and the image gives 1/
    ],
    [
      'the other layout',
      'input: { layout: nhwc }\noutput: { kind: npy }',
      spec('x', [1, 3, 8, 8]),
      [SCORES],
      /set layout: nchw/
    ],
    [
      'another element type',
      'input: { type: uint8 }\noutput: { kind: npy }',
      IMAGE,
      [SCORES],
      /an image of uint8 elements does not fit/
    ],
    [
      'an input that is not there',
      'input: { name: image }\noutput: { kind: npy }',
      IMAGE,
      [SCORES],
      /input\.name "image" is not an input of the model \(known: x\)/
    ],
    [
      'another size',
      'input: { resize: { width: 32, height: 32 } }\noutput: { kind: npy }',
      spec('x', [1, 3, 64, 64]),
      [SCORES],
      /change resize or crop/
    ],
    [
      'a shorter side that never fits',
      'input: { resize: { shorter: 256 } }\noutput: { kind: npy }',
      spec('x', [1, 3, 224, 300]),
      [SCORES],
      /resize\.shorter 256 never fits .* shorter side is 224/
    ],
    [
      "widths that are never the model's",
      'input: { resize: { height: 48, fit: height, multiple: 32 } }\noutput: { kind: npy }',
      spec('x', [1, 3, 48, 100]),
      [SCORES],
      /widths of 32 to 65536 in steps of 32, never the 100/
    ],
    [
      'a batch that no image is',
      'input: { channels: rgb }\noutput: { kind: npy }',
      spec('x', [8, 3, 8, 8]),
      [SCORES],
      /an image is a batch of 1 and the model's .* wants 8/
    ],
    [
      'an output that is not there',
      'input: { kind: npy }\noutput: { kind: topk, name: z }',
      IMAGE,
      [SCORES],
      /output\.name "z" is not an output of the model \(known: y\)/
    ],
    [
      'more of the best than there are',
      'input: { kind: npy }\noutput: { kind: topk, k: 11 }',
      IMAGE,
      [SCORES],
      /output\.k 11 is more than the 10 classes .*at most 10/
    ],
    [
      'labels for other classes',
      'input: { kind: npy }\noutput: { kind: topk, labels: labels.txt }',
      IMAGE,
      [SCORES],
      /output\.labels labels\.txt has 2 labels; the model's output "y" float32\[1, 10\] has 10 classes/
    ],
    [
      'labels, the batch being open',
      'input: { kind: npy }\noutput: { kind: topk, labels: labels.txt }',
      IMAGE,
      [spec('y', ['N', 10])],
      /has 2 labels/
    ],
    [
      'the best of texts',
      'input: { kind: npy }\noutput: { kind: topk }',
      IMAGE,
      [spec('y', [1, 3], 'string')],
      /ranks numbers/
    ],
    [
      'a dictionary of another length',
      'input: { kind: npy }\noutput: { kind: ctc, dictionary: labels.txt }',
      IMAGE,
      [spec('y', [1, 't', 97])],
      /output\.dictionary labels\.txt has 2 lines, with blank and space 4 classes; the model's .* has 97/
    ],
    [
      'a dictionary without the space',
      'input: { kind: npy }\noutput: { kind: ctc, dictionary: labels.txt, space: false }',
      IMAGE,
      [spec('y', [1, 't', 4])],
      /has 2 lines, with blank 3 classes/
    ],
    [
      'text of two outputs of scores',
      'input: { kind: npy }\noutput: { kind: ctc, dictionary: labels.txt }',
      IMAGE,
      [spec('y', [1, 't', 4]), spec('z', [1, 't', 4])],
      /takes one output of scores/
    ],
    [
      'text of a batch',
      'input: { kind: npy }\noutput: { kind: ctc, dictionary: labels.txt }',
      IMAGE,
      [spec('y', [8, 40, 4])],
      /one item's steps by classes/
    ]
  ]

test.each(WRONG)('%s', async (_, io, input, outputs, words) => {
  await expect(open(yaml(io, { 'labels.txt': 'a\nb\n' }), input, outputs)).rejects.toThrow(words)
})

test('what fits is not refused, nor what only a result can tell', async () => {
  const files = { 'labels.txt': 'a\nb\n' }
  const npy = 'input: { kind: npy }\n'
  await open(yaml(`${npy}output: { kind: topk, k: 10 }`), IMAGE, [SCORES])
  await open({ preset: 'imagenet' }, spec('x', ['N', 3, 224, 224]), [spec('y', ['N', 3])]) // five of three are three
  await open(yaml(`${npy}output: { kind: topk, labels: labels.txt }`, files), IMAGE, [spec('y', [1, 'classes'])])
  await open(yaml(`${npy}output: { kind: ctc, dictionary: labels.txt }`, files), IMAGE, [spec('y', [1, 't', 4])])
  await open(yaml(`${npy}output: { kind: ctc, dictionary: labels.txt }`, files), IMAGE, [spec('y', [40, 1, null])])
  const steps = [spec('best', [1, 't'], 'int64'), spec('p', [1, 't'])]
  await open(yaml(`${npy}output: { kind: ctc, dictionary: labels.txt }`, files), IMAGE, steps)
  await open({ preset: 'ppocr-rec' }, spec('x', [1, 3, 48, 320]), [spec('y', [1, 40, 6625])])
  await open(yaml('input: { resize: { shorter: 224 } }\noutput: { kind: npy }'), spec('x', [1, 3, 224, 300]), [SCORES])
  await open(yaml('input: { mean: [1, 2, 3], std: 2 }\noutput: { kind: npy }'), IMAGE, [SCORES])
})
