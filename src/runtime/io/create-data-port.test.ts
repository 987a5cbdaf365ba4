import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { encodeStrings } from '../engine/string-elements.ts'
import { ItemUnavailable } from '../ports/item-unavailable.ts'
import { createDataPort } from './create-data-port.ts'
import { createLivePort } from './create-live-port.ts'
import type { FolderPort } from './folder-port.ts'
import { decodeNpy, encodeNpy } from './npy.ts'
import { type IoChoice, readIoSpec } from './read-io-spec.ts'
import { bytesOf, numbersOf } from './tensor-numbers.ts'

const folder = (): string => mkdtempSync(join(tmpdir(), 'tributary-port-'))

const input = (shape: TensorSpec['shape'], type: TensorSpec['type'] = 'float32', name = 'x'): TensorSpec => ({
  name,
  type,
  shape
})
const image = (channels: number | string = 3): TensorSpec => input(['N', channels, 'H', 'W'])

const port = async (choice: IoChoice, inputs: readonly TensorSpec[], resultsFolder = folder()): Promise<FolderPort> =>
  createDataPort({ spec: await readIoSpec(choice), inputs, resultsFolder })
const yaml = (text: string): IoChoice => {
  const ioFile = join(folder(), 'io.yaml')
  writeFileSync(ioFile, text)
  return { ioFile }
}
const imagePort = (input_: string, inputs: readonly TensorSpec[] = [image()]): Promise<FolderPort> =>
  port(yaml(`input: ${input_}\noutput: { kind: npy }`), inputs)

/** A picture of one colour, or with a red left and a blue right half. */
const picture = async (width: number, height: number, colour: string, right?: string): Promise<string> => {
  const path = join(folder(), 'picture.png')
  const half = { width: Math.ceil(width / 2), height, channels: 3 as const, background: right ?? colour }
  const parts = right === undefined ? [] : [{ input: { create: half }, left: width >> 1, top: 0 }]
  await sharp({ create: { width, height, channels: 3, background: colour } })
    .composite(parts)
    .png()
    .toFile(path)
  return path
}
const read = async (p: FolderPort, path: string): Promise<Tensor> => (await p.read({ name: 'picture.png', path }))[0]!
const values = (tensor: Tensor): number[] => Array.from(numbersOf(tensor))

test('text recognition: height 48, width by the aspect in steps of 32 from 320 to 3200, BGR, -1 to 1, padded with 0', async () => {
  const p = await port({ preset: 'ppocr-rec' }, [image()])
  const sizes = [
    [100, 48, 320],
    [400, 48, 416],
    [320, 48, 320],
    [321, 48, 352],
    [1875, 24, 3200]
  ] as const
  for (const [width, height, wide] of sizes) {
    expect((await read(p, await picture(width, height, 'red'))).dims).toEqual([1, 3, 48, wide])
  }
  const tensor = await read(p, await picture(100, 96, '#ff0000'))
  const [blue, green, red] = [0, 1, 2].map(c => values(tensor).slice(c * 48 * 320, (c + 1) * 48 * 320))
  expect([blue![0], green![0], red![0], red![49], red![50], red![319], red![320]]).toEqual([-1, -1, 1, 1, 0, 0, 1])
})

test('imagenet: shorter side 256, centre 224 square, RGB with its mean and deviation', async () => {
  const p = await port({ preset: 'imagenet' }, [input([1, 3, 224, 224])])
  const tensor = await read(p, await picture(512, 256, 'red', 'blue'))
  expect(tensor.dims).toEqual([1, 3, 224, 224])
  const [r, , b] = [0, 1, 2].map(c => values(tensor).slice(c * 224 * 224))
  expect([r![0], r![223], b![0], b![223]].map(n => n!.toFixed(4))).toEqual(
    [(1 - 0.485) / 0.229, -0.485 / 0.229, -0.406 / 0.225, (1 - 0.406) / 0.225].map(n => n.toFixed(4))
  )
})

test('layout nhwc, integer pixels, gray, half precision', async () => {
  const path = await picture(2, 2, '#0a141e')
  const hwc = await imagePort('{ layout: nhwc }', [input([1, null, null, 3], 'uint8')])
  expect(values(await read(hwc, path))).toEqual([10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30])
  const gray = await imagePort('{ channels: gray, scale: 1 }', [input([1, 1, 'h', 'w'])])
  const one = await read(gray, await picture(1, 1, '#808080'))
  expect([one.dims, values(one)]).toEqual([[1, 1, 1, 1], [128]])
  const half = await imagePort('{}', [input([3, 2, 2], 'float16')])
  const tensor = await read(half, await picture(2, 2, 'white'))
  expect([tensor.dims, tensor.data.byteLength, values(tensor)]).toEqual([[3, 2, 2], 24, Array(12).fill(1)])
})

test('contain pads around the centre, cover cuts there, no resize fills the size the model asks for', async () => {
  const path = await picture(4, 2, 'white')
  const contain = await read(await imagePort('{ resize: { width: 4, height: 4, fit: contain }, pad: -5 }'), path)
  expect(values(contain).slice(0, 16)).toEqual([-5, -5, -5, -5, 1, 1, 1, 1, 1, 1, 1, 1, -5, -5, -5, -5])
  const two = await picture(8, 2, 'red', 'blue')
  const cover = await read(await imagePort('{ resize: { width: 2, height: 2, fit: cover } }'), two)
  expect([cover.dims, values(cover)]).toEqual([
    [1, 3, 2, 2],
    [1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1]
  ])
  const sized = await imagePort('{}', [input([1, 3, 5, 7])])
  expect((await read(sized, path)).dims).toEqual([1, 3, 5, 7])
})

test('pictures are read as people see them: turned by EXIF, 16 bits, transparency on white', async () => {
  const p = await imagePort('{ scale: 1 }')
  const path = join(folder(), 'turned.jpg')
  await sharp({ create: { width: 4, height: 2, channels: 3, background: 'white' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toFile(path)
  expect((await read(p, path)).dims).toEqual([1, 3, 4, 2])
  const deep = join(folder(), 'deep.png')
  await sharp({ create: { width: 1, height: 1, channels: 3, background: '#80ff00' } })
    .toColourspace('rgb16')
    .png()
    .toFile(deep)
  expect((await sharp(deep).metadata()).depth).toBe('ushort')
  expect(values(await read(p, deep))).toEqual([128, 255, 0])
  const clear = join(folder(), 'clear.png')
  await sharp({ create: { width: 1, height: 1, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } } })
    .png()
    .toFile(clear)
  expect(values(await read(p, clear))).toEqual([255, 255, 255])
})

test('what is not an image, or not whole, or not there, is refused with its name', async () => {
  const p = await imagePort('{}')
  const whole = readFileSync(await picture(64, 64, 'red', 'blue'))
  for (const [name, content] of [
    ['text.png', 'hello'],
    ['empty.png', ''],
    ['cut.png', whole.subarray(0, whole.length - 40)]
  ] as const) {
    const path = join(folder(), name)
    writeFileSync(path, content)
    const reading = read(p, path)
    await expect(reading).rejects.toThrow(new RegExp(`${name}: is not an image that can be read: .+`))
    await expect(reading).rejects.toBeInstanceOf(UserError)
  }
  await expect(read(p, '/nowhere.png')).rejects.toThrow('/nowhere.png: there is no such file')
})

test('a file of 1 GiB is no image, and its bytes are not read', async () => {
  const p = await imagePort('{}')
  const path = join(folder(), 'large.png')
  writeFileSync(path, '')
  truncateSync(path, 2 ** 30)
  const before = process.memoryUsage().arrayBuffers
  await expect(read(p, path)).rejects.toThrow('large.png: is larger than 256 MiB, the limit of one image')
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26)
})

test.each([
  ['{}', [input([1, 1, 8, 8])], /wants 1 channels and the image gives 3; check channels, or set layout: nhwc/],
  [
    '{ resize: { width: 4, height: 4 } }',
    [input([1, 3, 8, 8])],
    /becomes \[1, 3, 4, 4\] and does not fit the model's input "x" float32\[1, 3, 8, 8\]/
  ],
  ['{ resize: { height: 48, fit: height } }', [input([1, 3, 32, 'w'])], /becomes \[1, 3, 48, width\]/],
  ['{ name: y }', [image()], /input.name "y" is not an input of the model \(known: x\)/],
  ['{}', [input([1, 10])], /does not fit the model's input "x" float32\[1, 10\]/],
  ['{ type: uint8 }', [image()], /image of uint8 elements does not fit/],
  [
    '{}',
    [image(), input([1], 'float32', 'y')],
    /the model has 2 \(x, y\); say under inputs what fills the others, or use preset raw/
  ]
])('an image input %s that does not fit the model is refused before the first image', async (text, inputs, message) => {
  await expect(imagePort(text, inputs)).rejects.toThrow(message)
})

test('shapes for profiling have no dimension left open', async () => {
  const dims = async (choice: IoChoice, spec: TensorSpec) => (await port(choice, [spec])).exampleInputs([spec])[0]!.dims
  expect(await dims({ preset: 'ppocr-rec' }, image())).toEqual([1, 3, 48, 320])
  expect(await dims({ preset: 'imagenet' }, image('C'))).toEqual([1, 3, 224, 224])
  expect(await dims({ preset: 'raw' }, input(['N', 128], 'int64'))).toEqual([1, 128])
})

test('a folder lists its files in name order, without hidden ones and folders; a link counts as what it leads to', async () => {
  const p = await port({ preset: 'imagenet' }, [image()])
  const dir = folder()
  for (const name of ['b.png', 'a.png', 'B.png', '10.png', '9.png', '.hidden']) writeFileSync(join(dir, name), '')
  mkdirSync(join(dir, 'more'))
  symlinkSync(join(dir, 'more'), join(dir, 'linked-folder'))
  symlinkSync(join(dir, 'a.png'), join(dir, 'linked.png'))
  expect((await p.list(dir)).map(({ name }) => name)).toEqual([
    '10.png',
    '9.png',
    'B.png',
    'a.png',
    'b.png',
    'linked.png'
  ])
})

test('a folder that is not there, is a file, or has no files is refused', async () => {
  const p = await port({ preset: 'imagenet' }, [image()])
  await expect(p.list('/nowhere')).rejects.toThrow('source dir:/nowhere: there is no such file or folder (ENOENT)')
  await expect(p.list(import.meta.filename)).rejects.toThrow('is a file, not a folder')
  await expect(p.list(folder())).rejects.toThrow('there is no file in it')
})

test('ranked classes: probabilities as they are, scores through softmax, with labels', async () => {
  const words = yaml('input: {}\noutput: { kind: topk, k: 2, labels: l.json }')
  writeFileSync(join((words as { ioFile: string }).ioFile, '../l.json'), '["cat","dog","cow"]')
  const p = await port(words, [image()])
  const item = { name: 'a', path: '/a' }
  const output = (name: string, numbers: number[]): Tensor => ({
    name,
    type: 'float32',
    dims: [1, numbers.length],
    data: bytesOf('float32', numbers)
  })
  expect(await p.write(item, [output('p', [0.25, 0.5, 0.25])])).toEqual([
    { index: 1, label: 'dog', score: 0.5 },
    { index: 0, label: 'cat', score: 0.25 }
  ])
  const [best] = (await p.write(item, [output('s', [-100, 0, Math.log(3)])])) as { label: string; score: number }[]
  expect([best!.label, best!.score.toFixed(5)]).toEqual(['cow', '0.75000'])
  await expect(p.write(item, [output('p', [1, 0])])).rejects.toThrow('has 2 classes and output.labels 3 lines')
})

test('raw: floats are taken where the model wants halves, and refused where these would become infinite', async () => {
  const p = await port({ preset: 'raw' }, [input([1, 3], 'float16')])
  const half = (type: 'float32' | 'float64', numbers: readonly number[]): Promise<Tensor> => {
    const path = join(folder(), 'halves.npy')
    writeFileSync(path, encodeNpy({ type, dims: [3], data: bytesOf(type, numbers) }))
    return read(p, path)
  }
  for (const type of ['float32', 'float64'] as const) {
    const tensor = await half(type, [0.5, -65504, Number.NEGATIVE_INFINITY])
    expect(tensor).toMatchObject({ type: 'float16', dims: [1, 3] })
    expect([...new Uint16Array(tensor.data.slice().buffer)]).toEqual([0x3800, 0xfbff, 0xfc00])
    await expect(half(type, [0.5, 70000, 1])).rejects.toThrow('element 1 is 70000, which float16 cannot hold')
  }
})

test('raw: one .npy a datum, the batch added, float64 narrowed; what does not fit is refused', async () => {
  const p = await port({ preset: 'raw' }, [input(['N', 2])])
  const save = (tensor: Pick<Tensor, 'type' | 'dims' | 'data'>): string => {
    const path = join(folder(), 'a.npy')
    writeFileSync(path, encodeNpy(tensor))
    return path
  }
  const tensor = await read(p, save({ type: 'float64', dims: [2], data: bytesOf('float64', [0.5, -3]) }))
  expect([tensor.name, tensor.type, tensor.dims, values(tensor)]).toEqual(['x', 'float32', [1, 2], [0.5, -3]])
  await expect(read(p, save({ type: 'int64', dims: [1, 2], data: new Uint8Array(16) }))).rejects.toThrow(
    'a.npy: its elements are int64 and the model wants input "x" float32[N, 2]'
  )
  await expect(read(p, save({ type: 'float32', dims: [1, 3], data: new Uint8Array(12) }))).rejects.toThrow(
    'its shape (1, 3) does not fit'
  )
  await expect(read(p, await picture(1, 1, 'red'))).rejects.toThrow('it is not a .npy file')
  const tokens = await port({ preset: 'raw' }, [input([2], 'int32')])
  expect(values(await read(tokens, save({ type: 'int64', dims: [2], data: bytesOf('int64', [-7, 9]) })))).toEqual([
    -7, 9
  ])
  await expect(read(tokens, save({ type: 'int64', dims: [2], data: bytesOf('int64', [0, 2 ** 31]) }))).rejects.toThrow(
    'element 1 is 2147483648, which int32 cannot hold'
  )
})

test('raw with several inputs: NAME.INPUT.npy are one datum', async () => {
  const p = await port({ preset: 'raw' }, [input([1], 'float32', 'a/b'), input([1], 'string', 'text')])
  const dir = folder()
  writeFileSync(join(dir, 'one.a_b.npy'), encodeNpy({ type: 'float32', dims: [1], data: bytesOf('float32', [4]) }))
  writeFileSync(join(dir, 'one.text.npy'), encodeNpy({ type: 'string', dims: [1], data: encodeStrings(['ä']) }))
  writeFileSync(join(dir, 'two.text.npy'), '')
  const [one, two] = await p.list(dir)
  expect([one!.name, two!.name]).toEqual(['one', 'two'])
  expect((await p.read(one!)).map(({ name, type }) => `${name} ${type}`)).toEqual(['a/b float32', 'text string'])
  await expect(p.read(two!)).rejects.toThrow(/two.a_b.npy: there is no such file/)
})

test('live items of one name have files of their own, and a name that is too long, or none for a file, is cut to one', async () => {
  const results = join(folder(), 'cam.results')
  const spec = await readIoSpec({ preset: 'raw' })
  const live = createLivePort({ spec, inputs: [input([1])], resultsFolder: results }, new Set(['x']))
  const output = (n: number): Tensor => float([65], Array(65).fill(n))
  const names = ['a/frame 0', 'b/frame 0', 'nul \0', 'ä'.repeat(200)]
  for (const [datum, name] of names.entries()) {
    const item = { name, content: { kind: 'tensors', tensors: [] } }
    await live.write(item, [output(datum)], datum)
  }
  const written = ['0-frame 0.y.npy', '1-frame 0.y.npy', '2-nul _.y.npy', `3-${'ä'.repeat(79)}.y.npy`]
  expect(readdirSync(results)).toEqual(written)
  expect(new Float32Array(decodeNpy(readFileSync(join(results, written[0]!))).data.buffer)[0]).toBe(0)
})

test('raw results: few elements into the sink, many or inexact ones into files beside it', async () => {
  const results = join(folder(), 'door.results')
  const p = await port({ preset: 'raw' }, [input([1])], results)
  const tensor = (name: string, type: 'float32' | 'int64', numbers: number[]): Tensor => ({
    name,
    type,
    dims: [numbers.length],
    data: bytesOf(type, numbers)
  })
  const outputs = [
    tensor('few', 'float32', [0.5, 2]),
    tensor('nan', 'float32', [Number.NaN]),
    tensor(
      'n/many',
      'int64',
      Array.from({ length: 65 }, (_, i) => i)
    ),
    { name: 's', type: 'string' as const, dims: [1], data: encodeStrings(['ä']) }
  ]
  expect(await p.write({ name: 'a.npy', path: '/a.npy' }, outputs)).toEqual({
    few: { type: 'float32', dims: [2], data: [0.5, 2] },
    nan: { type: 'float32', dims: [1], file: 'door.results/a.npy.nan.npy' },
    'n/many': { type: 'int64', dims: [65], file: 'door.results/a.npy.n_many.npy' },
    s: { type: 'string', dims: [1], data: ['ä'] }
  })
  const { data } = decodeNpy(readFileSync(join(results, 'a.npy.n_many.npy')))
  expect(new BigInt64Array(data.buffer)[64]).toBe(64n)
})

test.each(['png', 'jpeg', 'webp', 'gif', 'tiff'] as const)(
  'half of a %s is no image, wherever it ends',
  async format => {
    const p = await port({ preset: 'ppocr-rec' }, [image()])
    const noise = Buffer.from(Array.from({ length: 96 * 96 * 3 }, (_, i) => (i * 7919) % 251))
    const whole = await sharp(noise, { raw: { width: 96, height: 96, channels: 3 } })
      .toFormat(format)
      .toBuffer()
    const path = join(folder(), 'half')
    writeFileSync(path, whole)
    expect((await read(p, path)).dims).toEqual([1, 3, 48, 320])
    for (const share of [0, 0.01, 0.3, 0.6, 0.9]) {
      writeFileSync(path, whole.subarray(0, Math.floor(share * whole.byteLength)))
      const reading = read(p, path)
      await expect(reading, `${share}`).rejects.toBeInstanceOf(UserError)
      await expect(reading).rejects.not.toBeInstanceOf(ItemUnavailable)
    }
  }
)

const inputsFile = (inputs: string, input_ = '{ resize: { fit: contain } }', output = '{ kind: npy }'): IoChoice =>
  yaml(`input: ${input_}\ninputs: ${inputs}\noutput: ${output}`)
const IMAGE = input([1, 3, 32, 64], 'float32', 'images')

test('inputs beside the image: its size, or that of what it became, a constant, a file of their own', async () => {
  const inputs = [
    ...[input([1, 2], 'int64', 'size'), IMAGE, input([1, 'n'], 'float32', 'original')],
    ...[input([], 'float32', 'gain'), input([2, 2], 'int32', 'matrix'), input([1, 'k'], 'float32', 'mask')]
  ]
  const p = await port(
    inputsFile(
      '{ size: { kind: size }, original: { kind: size, of: image, order: "width,height" }, gain: { kind: constant, value: 0.5 }, ' +
        'matrix: { kind: constant, value: [[1, 2], [3, 4]] }, mask: { kind: npy } }'
    ),
    inputs
  )
  const path = await picture(200, 50, 'red')
  writeFileSync(`${path}.mask.npy`, encodeNpy({ type: 'float32', dims: [1, 3], data: bytesOf('float32', [7, 8, 9]) }))
  const [item, ...others] = await p.list(join(path, '..'))
  expect([item?.name, others]).toEqual(['picture.png', []])
  const tensors = await p.read(item!)
  expect(tensors.map(({ name, type, dims }) => `${name} ${type} ${dims}`)).toEqual(
    'size int64 1,2|images float32 1,3,32,64|original float32 1,2|gain float32 |matrix int32 2,2|mask float32 1,3'.split(
      '|'
    )
  )
  const seen = tensors.map(tensor => (tensor.name === 'images' ? [] : values(tensor)))
  expect(seen).toEqual([[32, 64], [], [200, 50], [0.5], [1, 2, 3, 4], [7, 8, 9]])
  tensors.find(({ name }) => name === 'matrix')!.data.fill(0) // given away
  expect(values((await p.read(item!))[4]!)).toEqual([1, 2, 3, 4])
})

test.each([
  ['{ siz: { kind: size } }', /inputs: the model has no input "siz", did you mean "size"\? \(known: images, size\)/],
  ['{ size: { kind: constant, value: [1, 2, 3] } }', /inputs.size: value: its shape \(3\) does not fit input "size"/],
  ['{ size: { kind: constant, value: [[1], [2, 3]] } }', /inputs.size: value: its lists differ in length/],
  ['{ images: { kind: size } }', /inputs.images: a size is 2 numbers and the model wants input "images"/],
  ['{}', /an image fills one input and the model has 2 \(images, size\); say under inputs what fills the others/],
  ['{ size: { kind: sise } }', /inputs.size.kind/]
])('other inputs %s are refused before the first image', async (text, because) => {
  const made = port(inputsFile(text), [IMAGE, input([1, 2], 'int64', 'size')])
  await expect(made).rejects.toThrow(because)
})

test('all inputs of an item from one .npz, as NumPy saves it, beside items of single files', async () => {
  const at = folder()
  const array = (dims: number[], numbers: number[]) =>
    encodeNpy({ type: 'float64', dims, data: bytesOf('float64', numbers) })
  const archive = (members: Record<string, Uint8Array>) => zipSync(members)
  writeFileSync(
    join(at, 'a.npz'),
    archive({ 'x.npy': array([1, 2], [1, 2]), 'y.npy': array([1], [3]), 'z.npy': array([1], [0]) })
  )
  writeFileSync(join(at, 'b.x.npy'), array([1, 2], [4, 5]))
  writeFileSync(join(at, 'b.y.npy'), array([1], [6]))
  writeFileSync(join(at, 'c.npz'), archive({ 'x.npy': array([1, 2], [1, 2]) }))
  writeFileSync(join(at, 'd.npz'), 'no archive')
  writeFileSync(join(at, 'e.npz'), archive({ 'x.npy': array([1, 3], [1, 2, 3]), 'y.npy': array([1], [3]) }))
  const p = await port({ preset: 'raw' }, [input([1, 2]), input([1], 'float32', 'y')])
  const items = await p.list(at)
  expect(items.map(({ name }) => name)).toEqual(['a.npz', 'b', 'c.npz', 'd.npz', 'e.npz'])
  const [a, b, c, d, e] = items.map(item => () => p.read(item))
  expect([(await a!()).map(values), (await b!()).map(values)]).toEqual([
    [[1, 2], [3]],
    [[4, 5], [6]]
  ])
  await expect(c!()).rejects.toThrow(/c.npz: has no array "y"; save it with numpy.savez\(file, y=...\)/)
  await expect(d!()).rejects.toThrow(/d.npz: is not an .npz archive that can be read/)
  await expect(e!()).rejects.toThrow(/e.npz: "x": its shape \(1, 3\) does not fit input "x"/)
  expect((await p.stamp(items[0]!)).id).not.toBe('')
})

test('boxes are told in pixels of the picture as it was, whatever became of it', async () => {
  const p = await port({ preset: 'detect-yolonas' }, [input([1, 3, 64, 64], 'uint8', 'image')])
  const item = { name: 'picture.png', path: await picture(400, 200, 'red') }
  await p.read(item) // 64 x 32, with 16 above
  const outputs = [float([1, 7], [0, 16, 24, 32, 40, 0.9, 16])]
  expect(await p.write(item, outputs)).toEqual([{ index: 16, label: 'dog', score: 0.9, box: [100, 50, 200, 150] }])
})

test('tensors are refused where boxes are found in images', async () => {
  const spec = await readIoSpec({ preset: 'detect-yolonas' })
  const inputs = [input([1, 3, 64, 64], 'uint8', 'image')]
  const live = createLivePort({ spec, inputs, resultsFolder: '' }, new Set(['image']))
  const item = { name: 'a', content: { kind: 'tensors', tensors: [] } }
  await expect(live.read(item)).rejects.toThrow(/a: is tensors, and .* finds boxes in images: give it as an image/)
  await expect(live.write(item, [float([1, 7], [0, 1, 1, 2, 2, 0.9, 1])])).rejects.toThrow(/finds boxes in images/)
})

test.each(['yolo', 'yolov5', 'yolox', 'yolonas', 'rfdetr', 'dfine', 'ssd', 'nanodet'])(
  'a model with another number of outputs than family %s has is refused before any result',
  async family => {
    const io = `input: { resize: { fit: contain } }\noutput: { kind: detect, family: ${family} }`
    const spec = await readIoSpec(yaml(io))
    const [inputs, outputs] = [[input([1, 3, 64, 64], 'float32', 'image')], [] as TensorSpec[]]
    expect(() => createDataPort({ spec, inputs, outputs, resultsFolder: '' })).toThrow(/output family .* takes/)
  }
)

test('labels of COCO are none of a model with other classes; own ones must be as many as it has', async () => {
  const inputs = [input([1, 3, 64, 64], 'float32', 'image')]
  const item = { name: 'picture.png', path: await picture(64, 64, 'red') }
  const rows = [32, 32, 10, 10, 0.9, 0, 0, ...Array(70).fill(0)]
  const own = join(folder(), 'labels.txt')
  writeFileSync(own, 'cat\ndog\n')
  const p = await port({ preset: 'detect' }, inputs)
  await p.read(item)
  expect(await p.write(item, [float([1, 11, 7], rows)])).toEqual([{ index: 0, score: 0.9, box: [27, 27, 37, 37] }])
  const choice = yaml(`input: { resize: { fit: contain } }\noutput: { kind: detect, family: yolo, labels: ${own} }`)
  const spec = await readIoSpec(choice)
  const outputs = (classes: number) => [input([1, 4 + classes, 8400], 'float32', 'y')]
  expect(() => createDataPort({ spec, inputs, outputs: outputs(3), resultsFolder: '' })).toThrow(
    /labels.txt has 2 labels; the model's output "y" float32\[1, 7, 8400\] has 3 classes/
  )
  createDataPort({ spec, inputs, outputs: outputs(2), resultsFolder: '' })
})

test("a size that is the model's own must be told where the model has none", async () => {
  await expect(port({ preset: 'detect' }, [image()])).rejects.toThrow(
    /the model's input "x" .* takes images of any size; say which with input.resize.width and height/
  )
})

test('an embedding is one vector of length 1, of tokens their mean or the first', async () => {
  const p = (more: string) => imagePortOf(`{ kind: embedding${more} }`)
  const item = { name: 'a', path: '' }
  const tokens = [float([1, 2, 2], [3, 0, 3, 8])]
  expect(await (await p('')).write(item, [float([1, 2], [3, 4])])).toEqual([3, 4].map(n => Math.fround(n / 5)))
  expect(await (await p(', normalize: false')).write(item, tokens)).toEqual([3, 4])
  expect(await (await p(', normalize: false, pool: first')).write(item, tokens)).toEqual([3, 0])
  await expect((await p('')).write(item, [float([1, 2, 3, 4], Array(24).fill(0))])).rejects.toThrow(
    /takes \[1, size\] or \[1, tokens, size\] of one item; the model gives y float32\[1, 2, 3, 4\]/
  )
  await expect((await p(', name: z')).write(item, tokens)).rejects.toThrow(/output.name "z" is not an output/)
})

const imagePortOf = (output: string): Promise<FolderPort> => port(yaml(`input: {}\noutput: ${output}`), [image()])
const float = (dims: readonly number[], numbers: readonly number[]): Tensor => ({
  ...{ name: 'y', type: 'float32', dims },
  data: bytesOf('float32', numbers)
})
