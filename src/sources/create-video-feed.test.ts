import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import type { LivePort } from '../runtime/io/create-live-port.ts'
import { frameToTensor, type ImageTarget } from '../runtime/io/image-to-tensor.ts'
import type { LiveItem } from '../runtime/io/live-item.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { createVideoFeed, type VideoFeedParts } from './create-video-feed.ts'
import { ffmpegArguments, type VideoInput } from './ffmpeg-arguments.ts'

const targetOf = (input: Partial<ImageTarget['input']>, size?: ImageTarget['size']): ImageTarget => ({
  input: {
    kind: 'image',
    channels: 'rgb',
    layout: 'nchw',
    mean: [0],
    std: [1],
    pad: 0,
    ...input
  } as ImageTarget['input'],
  ...{ name: 'x', type: 'float32', rank: 4, size }
})
const SMALL = targetOf({}, { width: 32, height: 24 })

/** What comes of a video. @param most frames are taken */
const framesOf = async (
  video: Partial<VideoInput> & Pick<VideoInput, 'input'>,
  { target = SMALL, most = 1000, ...parts }: { target?: ImageTarget; most?: number } & Partial<VideoFeedParts> = {}
) => {
  const items: LiveItem[] = []
  const log: string[] = []
  const feed = createVideoFeed({
    video: { format: undefined, fps: undefined, pace: 'fast', ...video },
    ...{ clock: systemClock, say: (text: string) => log.push(text), ...parts }
  })
  const offer = async (item: LiveItem) => (items.length < most ? items.push(item) : undefined)
  const port = { target, keepsSize: false } as LivePort
  const running = feed.run({ offer, port, signal: new AbortController().signal })
  const sizes = () =>
    items.map(({ content }) => (content.kind === 'frame' ? `${content.frame.width}x${content.frame.height}` : ''))
  return { items, log, running, sizes }
}

/** Something that is run in place of ffmpeg. */
const standIn = (script: string): [string, ...string[]] => [process.execPath, '-e', script, '--']
const PICTURE = `const picture = n => Buffer.concat([Buffer.from('P6\\n2 1\\n255\\n'), Buffer.alloc(6, n)]);`

test('where ffmpeg is absent, that is said with the line that installs it', async () => {
  const { running } = await framesOf({ input: 'clip.mp4' }, { command: ['ffmpeg-that-is-not-there'] })
  await expect(running).rejects.toThrow(/ffmpeg-that-is-not-there was not found.*apt-get install ffmpeg/)
})

test('a file goes on with the frame that is next where ffmpeg was killed in its midst', async () => {
  const script = `${PICTURE}
    const fs = require('node:fs'), mark = process.argv.at(-1);
    process.stdout.write(Buffer.concat([picture(0), picture(1), picture(2)]), () => {
      if (fs.existsSync(process.env.MARK)) process.stdout.write(picture(3), () => process.exit(0));
      else { fs.writeFileSync(process.env.MARK, ''); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200) }
    })`
  const folder = await mkdtemp(join(tmpdir(), 'tributary-video-'))
  const command = standIn(script.replaceAll('process.env.MARK', JSON.stringify(join(folder, 'mark'))))
  const { running, items, log } = await framesOf({ input: 'clip.mp4' }, { command })
  await running
  const values = items.map(({ content }) => (content.kind === 'frame' ? content.frame.pixels[0] : undefined))
  expect(values).toEqual([0, 1, 2, 3])
  expect(log).toEqual(['video:clip.mp4: ffmpeg was killed (SIGKILL); tried again', 'video:clip.mp4: frames come again'])
  await rm(folder, { recursive: true })
})

test('of a flood of frames that nobody takes few are read: ffmpeg waits', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-video-'))
  const count = join(folder, 'count')
  const script = `const big = Buffer.concat([Buffer.from('P6\\n640 480\\n255\\n'), Buffer.alloc(921600)]);
    let n = 0;
    const more = () => { require('node:fs').writeFileSync(${JSON.stringify(count)}, String(++n)); process.stdout.write(big, more) };
    more()`
  const over = new AbortController()
  const feed = createVideoFeed({
    video: { input: 'clip.mp4', format: undefined, fps: undefined, pace: 'fast' },
    ...{ clock: systemClock, say: () => {}, command: standIn(script) }
  })
  const offered = Promise.withResolvers<void>()
  const offer = () => {
    offered.resolve()
    return new Promise<number>(() => {})
  }
  const running = feed.run({ offer, port: { target: SMALL, keepsSize: false } as LivePort, signal: over.signal })
  await offered.promise
  const written = async () => Number(await readFile(count, 'utf8'))
  let [before, now] = [-1, await written()]
  for (; before !== now; [before, now] = [now, await written()]) await systemClock.sleep(seconds(0.2))
  expect(now).toBeLessThan(8) // what pipes hold
  over.abort()
  void running
  await rm(folder, { recursive: true })
})

test('a camera that says nothing, or is away, is tried again later and later; its password is not told', async () => {
  const clock = createManualClock()
  const command = standIn(
    `process.stderr.write('rtsp://user:secret@cam/1: Connection refused\\n', () => process.exit(1))`
  )
  const { log } = await framesOf({ input: 'rtsp://user:secret@cam/1' }, { command, clock })
  const until = async (said: number) => {
    while (log.length < said) await new Promise(resolve => setTimeout(resolve, 10))
  }
  await until(1)
  await clock.advance(seconds(0.5))
  expect(log).toEqual(['video:rtsp://***@cam/1: ffmpeg ended: rtsp://***@cam/1: Connection refused; tried again'])
})

test('one whose frames stop coming is ended, and begun anew', async () => {
  const clock = createManualClock()
  const command = standIn(`${PICTURE} process.stdout.write(picture(7)); setInterval(() => {}, 1000)`)
  const { items, log, running } = await framesOf({ input: 'rtsp://cam/1' }, { command, clock, most: 2 })
  const until = async (wanted: () => boolean) => {
    while (!wanted()) await new Promise(resolve => setTimeout(resolve, 10))
  }
  await until(() => items.length === 1)
  await clock.advance(seconds(10))
  await until(() => log.length === 1)
  await clock.advance(seconds(1))
  await until(() => items.length === 2)
  expect(log).toEqual([
    'video:rtsp://cam/1: nothing came for 10 s; tried again',
    'video:rtsp://cam/1: frames come again'
  ])
  await clock.advance(seconds(10))
  await until(() => log.length === 3)
  await clock.advance(seconds(1))
  await running // the third is not taken
})

test('frames that come seldom are waited for', async () => {
  const clock = createManualClock()
  const command = standIn(`${PICTURE} process.stdout.write(picture(7)); setInterval(() => {}, 1000)`)
  const { items, log, running } = await framesOf({ input: 'rtsp://cam/1', fps: 0.05 }, { command, clock, most: 1 })
  const until = async (wanted: () => boolean) => {
    while (!wanted()) await new Promise(resolve => setTimeout(resolve, 10))
  }
  await until(() => items.length === 1)
  await clock.advance(seconds(59))
  await new Promise(resolve => setTimeout(resolve, 50))
  expect(log).toEqual([])
  await clock.advance(seconds(2))
  await until(() => log.length === 1)
  expect(log).toEqual(['video:rtsp://cam/1: nothing came for 60 s; tried again'])
  await clock.advance(seconds(1))
  await running
})

test('where ffmpeg cannot be run for a while, a camera is tried again', async () => {
  const clock = createManualClock()
  const folder = await mkdtemp(join(tmpdir(), 'tributary-video-'))
  const file = join(folder, 'ffmpeg')
  await writeFile(file, `#!/bin/sh\nprintf 'P6\\n2 1\\n255\\nabcdef'\n`)
  const { items, log, running } = await framesOf({ input: 'rtsp://cam/1' }, { command: [file], clock, most: 1 })
  const until = async (wanted: () => boolean) => {
    while (!wanted()) await new Promise(resolve => setTimeout(resolve, 10))
  }
  await until(() => log.length === 1)
  expect(log[0]).toMatch(/^video:rtsp:.* cannot be run: .*EACCES; tried again$/)
  await chmod(file, 0o755)
  await clock.advance(seconds(0.5))
  await until(() => items.length === 1)
  await until(() => log.length >= 3)
  await clock.advance(seconds(1))
  await running
  await rm(folder, { recursive: true })
})

test('a refusal of the system is no crash', async () => {
  const { running } = await framesOf({ input: 'clip.mp4' }, { command: [process.execPath, 'x'.repeat(4e6)] })
  await expect(running).rejects.toThrow(/video:clip.mp4: .* cannot be run: .*E2BIG/)
})

test.each([
  [{ fit: 'fill' }, 'scale=32:24'],
  [{ fit: 'contain' }, 'scale=32:24:force_original_aspect_ratio=decrease'],
  [{ fit: 'cover' }, 'scale=32:24:force_original_aspect_ratio=increase']
] as const)('%o without a size is of the size of the model', (resize, filter) => {
  const video: VideoInput = { input: 'clip.mp4', format: undefined, fps: undefined, pace: 'fast' }
  expect(ffmpegArguments(video, targetOf({ resize }, SMALL.size), false)).toContain(filter)
  expect(ffmpegArguments(video, targetOf({ resize }), false)).not.toContain('-vf')
})

test('a file that is no video has failed, and says what ffmpeg says', async () => {
  const command = standIn(`process.stderr.write('first\\nclip.mp4: Invalid data found\\n', () => process.exit(1))`)
  const { running } = await framesOf({ input: 'clip.mp4' }, { command })
  await expect(running).rejects.toThrow('video:clip.mp4: ffmpeg ended: clip.mp4: Invalid data found')
})

const HAS_FFMPEG = spawnSync('ffmpeg', ['-version']).status === 0
if (!HAS_FFMPEG) console.info('skipped: what needs ffmpeg, which is not installed (apt-get install ffmpeg)')

describe.skipIf(!HAS_FFMPEG)('with ffmpeg', () => {
  let folder: string
  let clip: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-video-'))
    clip = join(folder, 'clip.mkv')
    const made = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=10:duration=3', '-c:v', 'ffv1', clip]
    expect(spawnSync('ffmpeg', ['-loglevel', 'error', ...made]).status).toBe(0)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('every frame of a file comes once, at the size of the model', async () => {
    const { running, sizes, items } = await framesOf({ input: clip })
    await running
    expect(sizes()).toEqual(Array(30).fill('32x24'))
    expect(items.at(-1)!.name).toBe('frame 29')
  })

  test('so many frames a second as are asked for, and no more than are taken', async () => {
    const two = await framesOf({ input: clip, fps: 2 })
    await two.running
    expect(two.items).toHaveLength(6)
    const few = await framesOf({ input: clip }, { most: 4 })
    await few.running
    expect(few.items).toHaveLength(4)
  })

  test.each([
    [{ resize: { width: 40, height: 40, fit: 'contain' } }, '40x30', [1, 3, 40, 40]],
    [{ resize: { width: 40, height: 40, fit: 'cover' } }, '53x40', [1, 3, 40, 40]],
    [{ resize: { height: 48, fit: 'height', minWidth: 100, multiple: 8 } }, '64x48', [1, 3, 48, 100]],
    [{ resize: { shorter: 60 }, crop: { width: 50, height: 50 } }, '80x60', [1, 3, 50, 50]],
    [{ resize: { width: 20, height: 10, fit: 'fill' }, channels: 'gray' }, '20x10', [1, 1, 10, 20]]
  ] as const)('%j: scaled where it is decoded to %s', async (input, size, dims) => {
    const target = targetOf(input as Partial<ImageTarget['input']>)
    const { running, sizes, items } = await framesOf({ input: clip }, { target, most: 1 })
    await running
    expect(sizes()).toEqual([size])
    const { content } = items[0]!
    expect(content.kind === 'frame' && (await frameToTensor(content.frame, 'frame 0', target)).tensor.dims).toEqual(
      dims
    )
  })

  test('for a picture that says it has more than a hundred million pixels no memory is taken', async () => {
    const large = join(folder, 'large.ppm')
    await writeFile(large, 'P6 16000 16000 255\n') // some 800 MB otherwise
    const video: VideoInput = { input: large, format: undefined, fps: undefined, pace: 'fast' }
    const { stderr, status } = spawnSync('ffmpeg', ffmpegArguments(video, SMALL, false), { encoding: 'utf8' })
    expect([status, stderr]).toEqual([1, expect.stringContaining('16000x16000 exceeds specified max pixel count')])
  })

  test('a stream that changes its resolution goes on', async () => {
    const other = join(folder, 'both.ts')
    const encode = (size: string, to: string) =>
      spawnSync('ffmpeg', [
        '-loglevel',
        'error',
        '-f',
        'lavfi',
        '-i',
        `testsrc=size=${size}:rate=5:duration=1`,
        '-c:v',
        'mpeg2video',
        '-f',
        'mpegts',
        to
      ])
    encode('160x120', join(folder, 'a.ts'))
    encode('320x200', join(folder, 'b.ts'))
    const both = Buffer.concat([await readFile(join(folder, 'a.ts')), await readFile(join(folder, 'b.ts'))])
    await writeFile(other, both)
    const { running, sizes } = await framesOf({ input: other })
    await running
    expect(new Set(sizes())).toEqual(new Set(['32x24']))
    expect(sizes().length).toBeGreaterThanOrEqual(9)
  })

  test('what is no video, and what is not there, is told in the words of ffmpeg', async () => {
    const none = join(folder, 'none.mp4')
    await writeFile(none, 'this is no video')
    await expect((await framesOf({ input: none })).running).rejects.toThrow(/none\.mp4: Invalid data/)
    await expect((await framesOf({ input: join(folder, 'away.mp4') })).running).rejects.toThrow(
      /away\.mp4: No such file/
    )
  })
})
