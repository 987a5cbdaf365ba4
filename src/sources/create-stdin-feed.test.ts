import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { LivePort } from '../runtime/io/create-live-port.ts'
import type { LiveItem } from '../runtime/io/live-item.ts'
import { createStdinFeed } from './create-stdin-feed.ts'

const port = {} as LivePort

/** What comes of this input. @param most items are taken */
const itemsOf = async (spec: Parameters<typeof createStdinFeed>[0], input: Readable, most = 100) => {
  const items: LiveItem[] = []
  const offer = async (item: LiveItem) => (items.length < most ? items.push(item) : undefined)
  await createStdinFeed(spec, input).run({ offer, port, signal: new AbortController().signal })
  return items
}
const linesOf = (text: string) =>
  itemsOf({ argument: '', size: undefined, channels: 3 }, Readable.from([Buffer.from(text)]))
const whyOf = ({ content }: LiveItem) => (content.kind === 'none' ? content.because : content.kind)

test('a line is an item: tensors, an image, or a file', async () => {
  const items = await linesOf(
    [
      '{"name":"a","tensors":{"x":{"dims":[1,2],"data":[1,2]}}}',
      '{"tensors":{"dims":[2],"type":"uint8","data":[1,255]}}',
      '',
      '{"image":"aGVsbG8="}',
      '{"file":"/data/a.png"}'
    ].join('\n')
  )
  expect(items.map(({ name }) => name)).toEqual(['a', 'line 2', 'line 3', 'line 4'])
  expect(items.map(({ content }) => content)).toMatchObject([
    { kind: 'tensors', tensors: [{ name: 'x', type: 'float32', dims: [1, 2] }] },
    { kind: 'tensors', tensors: [{ name: '', type: 'uint8', data: new Uint8Array([1, 255]) }] },
    { kind: 'image', bytes: Buffer.from('hello') },
    { kind: 'file', path: '/data/a.png' }
  ])
})

test.each([
  ['nonsense', /^line 1: .*JSON/],
  ['{"tensors":{"x":{"dims":[3],"data":[1]}}}', /^line 1: tensor "x" has 1 elements, and \[3\] has 3/],
  ['{"tensors":{"x":{"dims":[1],"data":"1"}}}', /^line 1: tensors/],
  ['{"image":"***"}', /^line 1: image/],
  ['{"image":"aGVsbG8=","file":"/a"}', /^line 1: .*needs one of tensors, image \(base64\) and file/],
  ['{"imge":"aGVsbG8="}', /^line 1: .*imge.*did you mean.*image/],
  ['{"file":"a.png"}', /^line 1: file: "a.png" must be an absolute path/],
  ['[]', /^line 1: /]
])('%s is no item, and says why; what follows is one', async (line, why) => {
  const [bad, good] = await linesOf(`${line}\n{"image":"aGVsbG8="}\n`)
  expect([bad, good].map(item => whyOf(item!))).toEqual([expect.stringMatching(why), 'image'])
})

test.each([
  ['brackets without end', '['.repeat(3e7), /more than 100 lists within each other/],
  ['numbers without end', `{"tensors":{"dims":[1],"data":[${'1,'.repeat(2e7)}1]}}`, /more than \d+ values/],
  [
    'tensors without end',
    `{"tensors":{${Array.from({ length: 1e5 }, (_, i) => `"t${i}":{"dims":[1],"data":[1]}`).join()}}}`,
    /tensors: has more than 1024/
  ]
])('%s are no item: they are not looked at one by one', async (_, line, why) => {
  const begun = process.cpuUsage()
  const [bad] = await linesOf(line)
  expect(whyOf(bad!)).toMatch(why)
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(2)
})

test('a line that is too long is passed over without being kept', async () => {
  const piece = Buffer.alloc(2 ** 20, 'a')
  const input = Readable.from(
    (function* () {
      for (let i = 0; i < 65; i++) yield piece
      yield Buffer.from('\n{"image":"aGVsbG8="}')
    })()
  )
  const items = await itemsOf({ argument: '', size: undefined, channels: 3 }, input)
  expect(items.map(whyOf)).toEqual([expect.stringMatching(/^line 1: has more than 67108864 bytes/), 'image'])
})

test('raw frames are cut by their size, and one that the input ends in has failed', async () => {
  const size = { width: 2, height: 1 }
  const input = Readable.from([Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6, 7, 8])])
  const items = await itemsOf({ argument: 'frames', size, channels: 1 }, input)
  expect(items.map(whyOf)).toEqual(['frame', 'frame', 'frame', 'frame'])
  const rgb = await itemsOf({ argument: 'frames', size, channels: 3 }, Readable.from([Buffer.alloc(8)]))
  expect(rgb.map(whyOf)).toEqual(['frame', 'frame 1: ended after 2 of 6 bytes; check size= and pixels='])
})

test('whoever writes waits while nothing is taken', async () => {
  const input = new PassThrough({ highWaterMark: 10 })
  const over = new AbortController()
  const never = () => new Promise<number>(() => {})
  void createStdinFeed({ argument: 'frames', size: { width: 5, height: 1 }, channels: 1 }, input).run({
    ...{ offer: never, port, signal: over.signal }
  })
  let written = 0
  while (written < 1000 && input.write(Buffer.alloc(5))) {
    written += 5
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(written).toBeLessThan(100)
  over.abort()
})

test('one that takes no more ends it, and so does being stopped', async () => {
  const size = { width: 1, height: 1 }
  const endless = () =>
    Readable.from(
      (async function* () {
        for (;;) yield Buffer.alloc(1)
      })()
    )
  expect(await itemsOf({ argument: 'frames', size, channels: 1 }, endless(), 3)).toHaveLength(3)
  const over = new AbortController()
  const offer = async () => {
    over.abort()
    return 1
  }
  await createStdinFeed({ argument: 'frames', size, channels: 1 }, endless()).run({ offer, port, signal: over.signal })
})
