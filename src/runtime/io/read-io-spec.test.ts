import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import { PRESET_NAMES } from './presets.ts'
import { readIoSpec } from './read-io-spec.ts'

const folder = mkdtempSync(join(tmpdir(), 'tributary-io-'))
const yaml = (text: string): { ioFile: string } => {
  const ioFile = join(folder, 'io.yaml')
  writeFileSync(ioFile, text)
  return { ioFile }
}

test('every preset can be read; the dictionary of PP-OCR has blank, characters and space', async () => {
  for (const preset of PRESET_NAMES) await readIoSpec({ preset })
  const { characters } = await readIoSpec({ preset: 'ppocr-rec' })
  expect(characters.length).toBe(6625)
  expect([characters[0], characters[1], characters[6623], characters[6624]]).toEqual(['', "'", '懮', ' '])
})

test('a file says the same as a preset, with fractions, one value for all channels, and words in files beside it', async () => {
  writeFileSync(join(folder, 'labels.txt'), 'cat\r\ndog\r\n')
  writeFileSync(join(folder, 'keys.txt'), 'a\n\nb\n')
  const { input, output, labels } = await readIoSpec(
    yaml(
      'input: { resize: { width: 8, height: 4 }, scale: 1/127.5, mean: 1, layout: nhwc }\noutput: { kind: topk, k: 2, labels: labels.txt }'
    )
  )
  expect(input).toMatchObject({ kind: 'image', scale: 1 / 127.5, mean: [1], std: [1], channels: 'rgb' })
  expect([output, labels]).toEqual([{ kind: 'topk', k: 2, labels: 'labels.txt' }, ['cat', 'dog']])
  const ctc = await readIoSpec(
    yaml('input: {}\noutput: { kind: ctc, dictionary: keys.txt, blank: last, space: false }')
  )
  expect(ctc.characters).toEqual(['a', '', 'b', ''])
})

test.each([
  ['input: { resise: { shorter: 3 } }\noutput: { kind: npy }', /input: unknown key "resise", did you mean "resize"\?/],
  ['inputs: {}\noutput: { kind: npy }', /input/],
  ['input: {}\noutput: { kind: npy }\nouput: 1', /unknown key "ouput", did you mean "output"\?/],
  [
    'input: { resize: { hight: 3, width: 4 } }\noutput: { kind: npy }',
    /input.resize: unknown key "hight", did you mean "height"\?/
  ],
  ['input: {}\noutput: { kind: topk, lables: x }', /output: unknown key "lables", did you mean "labels"\?/],
  ['input: {}\noutput: { kind: ctc, dictionary: x, k: 3 }', /output: unknown key "k".*known: kind, dictionary/],
  ['input: { kind: npy, mean: 3 }\noutput: { kind: npy }', /input: unknown key "mean"/],
  ['input: {}\noutput: { kind: tpk }', /output.kind/],
  ['input: {}\noutput: { kind: ctc }', /output.dictionary/],
  ['input: { channels: grb }\noutput: { kind: npy }', /input.channels: must be rgb or bgr or gray/],
  ['input: { std: 0 }\noutput: { kind: npy }', /input.std: must not be 0/],
  ['input: { scale: 1/0 }\noutput: { kind: npy }', /input.scale/],
  ['input: { resize: { height: 48 } }\noutput: { kind: npy }', /input.resize: needs width too, or fit: height/],
  ['input: { resize: { height: 48, width: 3, fit: height } }\noutput: { kind: npy }', /input.resize: .*remove width/],
  [
    'input: { resize: { height: 48, width: 3, maxWidth: 9 } }\noutput: { kind: npy }',
    /input.resize: .*go with fit: height/
  ],
  ['input: { resize: { shorter: 48, width: 3 } }\noutput: { kind: npy }', /input.resize: shorter stands alone/],
  [
    'input: { resize: { height: 4, width: 3, fit: cover }, crop: { width: 1, height: 1 } }\noutput: { kind: npy }',
    /input.crop: does not go with/
  ],
  ['input: {}\noutput: { kind: topk, labels: nowhere.txt }', /output.labels .*nowhere.txt: there is no such file/],
  ['- a\n- b', /must be a mapping/],
  ['', /must be a mapping/],
  ['a: [1', /is not YAML/]
])('%s is refused in words that name the file and the field', async (text, message) => {
  const choice = yaml(text)
  const reading = readIoSpec(choice)
  await expect(reading).rejects.toThrow(message)
  await expect(reading).rejects.toThrow(`io ${choice.ioFile}`)
  await expect(reading).rejects.toBeInstanceOf(UserError)
})

test('an unknown preset is refused with the nearest', async () => {
  await expect(readIoSpec({ preset: 'ppocr' })).rejects.toThrow(
    /preset "ppocr" is not known.*known: ocr, ppocr-rec, classify, .*, raw;/
  )
  await expect(readIoSpec({ preset: 'imagnet' })).rejects.toThrow('did you mean imagenet?')
  await expect(readIoSpec({ preset: 'constructor' })).rejects.toThrow('is not known')
  await expect(readIoSpec({ ioFile: '/nowhere.yaml' })).rejects.toThrow('io /nowhere.yaml: there is no such file')
})
