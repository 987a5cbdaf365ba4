import { execFileSync } from 'node:child_process'
import { copyFileSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { TensorProto_DataType as T, TensorProto_DataLocation } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { openModel } from '../runtime/onnx/open-model.ts'
import { chain, exactEverywhere, folder, fresh, none, save, study, x, y } from '../testing/cut-everywhere.ts'
import { buildModel, floats, type ModelParts, node, value } from '../testing/onnx-builder.ts'
import { readOnnxFile } from './files/read-onnx-file.ts'
import { studyModel } from './files/study-model.ts'
import { losslessText } from './lossless-text.ts'

const refusal = async (file: string): Promise<string> =>
  studyModel(file, none, openModel).then(
    () => 'accepted',
    error => `${error.name}: ${error.message}`
  )

describe('files that are something else are called what they are', () => {
  const model = buildModel({ nodes: chain('Relu'), inputs: [x()], outputs: [y()] })
  const flat = (identifier: string): Buffer =>
    Buffer.concat([Buffer.from([0x18, 0, 0, 0]), Buffer.from(identifier), Buffer.alloc(64)])
  const tensors = Buffer.from('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(tensors.length))
  const zipOf = (name: string): Buffer =>
    Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(22), Buffer.from([name.length, 0, 0, 0]), Buffer.from(name)])
  const tar = Buffer.alloc(1024)
  tar.write('model.onnx')
  tar.write('ustar', 257)

  test.each<[string, Uint8Array | string, RegExp]>([
    ['an empty file', '', /the file is empty/],
    [
      'an LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n',
      /Git LFS pointer.*git lfs pull/
    ],
    ['a git-annex pointer', '/annex/objects/SHA256E-s9--0.onnx\n', /git-annex pointer/],
    ['a web page', '\n<!DOCTYPE html>\n<html lang="en"><head></head></html>', /web page \(HTML\)/],
    ['a web page of another make', '\uFEFF<!-- saved --><HTML><body>', /web page \(HTML\)/],
    ['an .ort file', flat('ORTM'), /ORT format.*\.onnx file that it was made from/],
    ['a TensorFlow Lite file', flat('TFL3'), /TensorFlow Lite/],
    ['safetensors', Buffer.concat([length, tensors, Buffer.alloc(4)]), /safetensors/],
    ['a PyTorch file', zipOf('archive/data.pkl'), /PyTorch.*torch\.onnx\.export/],
    ['an old PyTorch file', Buffer.from([0x80, 2, 0x8a, 10, 0x6c, 0xfc]), /pickle.*PyTorch/],
    ['a zip archive', zipOf('model.onnx'), /zip archive; unpack/],
    ['a gzip archive', gzipSync(model), /gzip archive; unpack/],
    ['a tar archive', tar, /tar archive; unpack/],
    ['a Keras file', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), /HDF5/],
    ['GGUF', Buffer.from('GGUF\x03\0\0\0'), /GGUF/],
    ['a .npy file', Buffer.from('\x93NUMPY\x01\0', 'latin1'), /\.npy file/],
    ['an XML error', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /XML text/],
    ['a JSON error', ' {"error":"Unauthorized"}', /JSON text/],
    ['another text', 'Entry not found', /not an ONNX model: text that begins "Entry not found"/],
    ['zeros', Buffer.alloc(5000), /nothing but zeros/]
  ])('%s', async (_, bytes, reason) => {
    const file = fresh()
    writeFileSync(file, bytes)
    const said = await refusal(file)
    expect(said).toMatch(reason)
    expect(said).toMatch(/^UserError: [^\n]+\.onnx: [^\n]+$/)
  })

  test('a folder, a pipe and a device are no files', async () => {
    const pipe = fresh()
    execFileSync('mkfifo', [pipe])
    for (const path of [folder, pipe, '/dev/zero', '/dev/null'])
      expect(await refusal(path)).toMatch(/^UserError: [^\n]*: not a file; name the \.onnx file$/)
  })

  test('a model that happens to begin like another format is read', async () => {
    // ir_version 8, producer_name "ORTM": the identifier of the ORT format at its place.
    const file = fresh()
    writeFileSync(file, Buffer.concat([Buffer.from([8, 8, 0x12, 4]), Buffer.from('ORTM'), model]))
    expect(await refusal(file)).toBe('accepted')
  })
})

describe('external data', () => {
  const place = (name: string): string => {
    const made = join(folder, name)
    mkdirSync(made)
    return made
  }
  const w = floats('w', [2048])
  const parts = (location: string, entries: readonly (readonly [string, string])[] = []): ModelParts => ({
    nodes: [node('Add', ['x', 'w'], ['a']), node('Relu', ['a'], ['y'])],
    weights: [
      {
        name: 'w',
        dataType: T.FLOAT,
        dims: [2048n],
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [{ key: 'location', value: location }, ...entries.map(([key, text]) => ({ key, value: text }))]
      }
    ],
    inputs: [x([2048])],
    outputs: [y()]
  })
  const at = place('external')
  const outside = place('outside')
  const inside = (name: string): string => join(at, name)
  writeFileSync(inside('w.bin'), w.rawData!)
  writeFileSync(join(outside, 'w.bin'), w.rawData!)
  mkdirSync(inside('folder'))
  execFileSync('mkfifo', [inside('pipe')])
  symlinkSync('w.bin', inside('within'))
  symlinkSync('../outside/w.bin', inside('out'))
  symlinkSync('../outside', inside('out-folder'))
  symlinkSync('/dev/zero', inside('zero'))
  symlinkSync('circle', inside('circle'))
  symlinkSync('nowhere', inside('dangling'))
  linkSync(inside('w.bin'), inside('hard'))
  let models = 0
  const with_ = (...given: Parameters<typeof parts>): string => {
    const file = inside(`${models++}.onnx`)
    writeFileSync(file, buildModel(parts(...given)))
    return file
  }

  test.each(['w.bin', 'within', 'hard', './w.bin', 'folder/../w.bin'])('%s is read', async location => {
    await exactEverywhere(await study(with_(location)))
  })

  test.each([
    ['folder', /is a folder, not a file/],
    ['pipe', /is a pipe or device, not a file/],
    ['out', /is a link to .*outside.w\.bin, outside the model's folder/],
    ['out-folder/w.bin', /outside the model's folder/],
    ['zero', /is a link to \/dev\/zero, outside the model's folder/],
    ['circle', /too many symbolic links/],
    ['dangling', /is missing; put it beside the model/],
    ['absent', /is missing; put it beside the model/],
    ['w.bin/x', /part of its path is a file/],
    ['../outside/w.bin', /only files in the model's own folder/],
    ['/dev/zero', /only files in the model's own folder/],
    [inside('w.bin'), /only files in the model's own folder/],
    ['', /only files in the model's own folder/],
    ['.', /only files in the model's own folder/]
  ])('"%s" is refused, as ONNX Runtime refuses it', async (location, reason) => {
    const file = with_(location)
    if (location !== 'pipe') await expect(openModel(file)).rejects.toThrow() // it would wait for a writer
    const said = await refusal(file)
    expect(said).toMatch(reason)
    expect(said).toMatch(/^UserError: [^\n]*$/)
  })

  test.each(['abc', '', ' 0', '0x0', '-4', '1e0', '0.5', '99999999999999999999'])(
    'an offset of "%s" is refused',
    async text => {
      const file = with_('w.bin', [['offset', text]])
      await expect(openModel(file)).rejects.toThrow()
      expect(await refusal(file)).toMatch(/^UserError: .*gives the offset of its external data as ".*"; a whole number/)
    }
  )

  test('that are pointers or something else are called that, whatever the tensor says of their length', async () => {
    const lfs = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 9000\n`
    const outside = (dims: readonly number[], location: string, length?: number): string =>
      save({
        nodes: [node('Add', ['x', 'w'], ['a']), node('Exp', ['a'], ['y'])],
        weights: [
          {
            name: 'w',
            dataType: T.FLOAT,
            dims: dims.map(BigInt),
            dataLocation: TensorProto_DataLocation.EXTERNAL,
            externalData: [
              { key: 'location', value: location },
              ...(length === undefined ? [] : [{ key: 'length', value: `${length}` }])
            ]
          }
        ],
        inputs: [x(['n', dims.at(-1)!])],
        outputs: [y()]
      })
    writeFileSync(join(folder, 'pointer.bin'), lfs)
    for (const [dims, length] of [[[4], 16], [[4]], [[64], 256], [[64]]] as const)
      expect(await refusal(outside(dims, 'pointer.bin', length))).toMatch(
        /^UserError: .*external data .*pointer\.bin of tensor "w" is a Git LFS pointer, .*git lfs pull/
      )
    writeFileSync(join(folder, 'annexed.bin'), '/annex/objects/SHA256E-s9--0.bin\n')
    expect(await refusal(outside([2], 'annexed.bin'))).toMatch(/tensor "w" is a git-annex pointer/)
    writeFileSync(join(folder, 'page.bin'), '<!doctype html><title>404</title>')
    expect(await refusal(outside([64], 'page.bin'))).toMatch(
      /ends at byte 256 of .*page\.bin, which has 33; it is a web page/
    )
    // What only begins like one, and what looks like text, may be weights.
    writeFileSync(join(folder, 'long.bin'), lfs.padEnd(8192, ' '))
    expect(await refusal(outside([2048], 'long.bin'))).toBe('accepted')
    writeFileSync(join(folder, 'text.bin'), '?'.repeat(64))
    expect(await refusal(outside([16], 'text.bin'))).toBe('accepted')
  })

  test('a model that is a link into a store, with data that are links beside it, is read', async () => {
    const store = place('store')
    const snapshot = place('snapshot')
    copyFileSync(inside('w.bin'), join(store, 'data'))
    writeFileSync(join(store, 'model'), buildModel(parts('model.onnx_data')))
    symlinkSync('../store/model', join(snapshot, 'model.onnx'))
    symlinkSync('../store/data', join(snapshot, 'model.onnx_data'))
    await exactEverywhere(await study(join(snapshot, 'model.onnx')))
  })
})

describe('names that are not UTF-8', () => {
  /** The model with names of ASCII stand-ins replaced by bytes. */
  const withBytes = (parts: ModelParts, stands: Readonly<Record<string, readonly number[]>>): string => {
    const bytes = Buffer.from(buildModel(parts))
    for (const [name, own] of Object.entries(stands)) {
      for (let found = bytes.indexOf(name); found !== -1; found = bytes.indexOf(name)) bytes.set(own, found)
    }
    const file = fresh()
    writeFileSync(file, bytes)
    return file
  }

  test('stay apart, as in ONNX Runtime', async () => {
    const file = withBytes(
      {
        nodes: [
          node('Relu', ['x'], ['AA@']),
          node('Neg', ['x'], ['BB@']),
          node('Exp', ['AA@'], ['CC@']),
          node('Sub', ['CC@', 'BB@'], ['y'])
        ],
        inputs: [x()],
        outputs: [y()]
      },
      { 'AA@': [0x61, 0xff, 0x62], 'BB@': [0x61, 0xfe, 0x62], 'CC@': [0xe2, 0x82, 0x62] }
    )
    const { graph } = await readOnnxFile(file)
    expect(graph.node.map(n => n.output[0])).toEqual(['a\uFFFDffb', 'a\uFFFDfeb', '\uFFFDe2\uFFFD82b', 'y'])
    await exactEverywhere(await study(file))
  })

  test('what is UTF-8 is read as it is, and the two never become one', async () => {
    expect(losslessText(Buffer.from('größe 漢字 🦊 \uFFFD'))).toBe('größe 漢字 🦊 \uFFFD')
    expect(losslessText(Uint8Array.of(0xed, 0xa0, 0x80))).toBe('\uFFFDed\uFFFDa0\uFFFD80') // half a pair
    expect(losslessText(Uint8Array.of(0xc0, 0x80))).toBe('\uFFFDc0\uFFFD80') // overlong
    const file = withBytes(
      {
        nodes: [
          node('Relu', ['x'], ['A@']),
          node('Neg', ['x'], ['\uFFFDffb']),
          node('Sub', ['A@', '\uFFFDffb'], ['y'])
        ],
        inputs: [x()],
        outputs: [y()]
      },
      { 'A@': [0xff, 0x62] }
    )
    expect(await refusal(file)).toMatch(
      /^UserError: .*two names read "\uFFFDffb" and differ in bytes that are not UTF-8/
    )
    const after = save({ nodes: chain('Relu', 'Exp'), inputs: [value('x', T.FLOAT, [2, 3])], outputs: [y()] })
    expect(await refusal(after)).toBe('accepted')
    expect(readFileSync(after).length).toBeGreaterThan(0)
  })
})
