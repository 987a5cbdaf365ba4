import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { loadSharp } from '../../../runtime/io/load-sharp.ts'
import { renderImages, TEXTS_FILE } from '../render-images.ts'
import { ffmpeg } from './ffmpeg.ts'
import { CYCLE, FRAME_RATE } from './live-cluster.ts'

/** Of a frame, in pixels: what the model reads. The plate leaves a margin of the test picture. */
const WIDTH = 320
const HEIGHT = 48
const PLATE = 44

/** A video, and its first frames one by one, as pictures. */
export interface Camera {
  readonly name: string
  readonly video: string
  /** Of its first cycle: `frame-000.png` is frame 0, and frame CYCLE again. */
  readonly frames: string
  /** What stands on them, by file name. */
  readonly truth: ReadonlyMap<string, string>
  readonly count: number
}

export interface MakeCamerasOptions {
  readonly names: readonly string[]
  /** How long each video is, in seconds. */
  readonly seconds: number
  readonly seed: string
  readonly signal: AbortSignal
}

/**
 * For each name a video of ffmpeg's test picture with text lines on it, another at each frame, without loss: what a device reads on
 * a frame is what stands on its picture. Into `folder`/NAME.mkv and `folder`/NAME/.
 */
export const makeCameras = async (folder: string, options: MakeCamerasOptions): Promise<readonly Camera[]> => {
  const { names, seed } = options
  const drawn = join(folder, 'lines')
  await renderImages(drawn, { sources: names, imagesPerSource: CYCLE, seed })
  const texts = JSON.parse(await readFile(join(drawn, TEXTS_FILE), 'utf8')) as Readonly<Record<string, string>>
  const cameras: Camera[] = []
  for (const name of names) cameras.push(await makeCamera(folder, name, join(drawn, name), texts, options))
  await rm(drawn, { recursive: true })
  return cameras
}

const makeCamera = async (
  folder: string,
  name: string,
  lines: string,
  texts: Readonly<Record<string, string>>,
  { seconds, signal }: MakeCamerasOptions
): Promise<Camera> => {
  const files = (await readdir(lines)).sort()
  for (const file of files) await makePlate(join(lines, file), join(lines, `plate-${file}`))
  const count = Math.round(seconds * FRAME_RATE)
  const [cycle, video, frames] = [join(folder, `${name}-cycle.mkv`), join(folder, `${name}.mkv`), join(folder, name)]
  const lossless = ['-c:v', 'ffv1', '-pix_fmt', 'bgr0']
  const rate = ['-framerate', `${FRAME_RATE}`]
  const place = `[0:v][1:v]overlay=x=0:y=${(HEIGHT - PLATE) / 2}:format=rgb:shortest=1`
  await ffmpeg(
    [
      ...['-f', 'lavfi', '-i', `smptebars=size=${WIDTH}x${HEIGHT}:rate=${FRAME_RATE}`],
      ...[...rate, '-i', join(lines, 'plate-line-%03d.png')],
      ...['-filter_complex', place, ...lossless, cycle]
    ],
    signal
  )
  await ffmpeg(['-stream_loop', '-1', '-i', cycle, '-frames:v', `${count}`, '-c', 'copy', video], signal)
  await mkdir(frames, { recursive: true })
  await ffmpeg(['-i', cycle, '-start_number', '0', join(frames, 'frame-%03d.png')], signal)
  await rm(cycle)
  const truth = new Map(files.map((file, i) => [pictureOf(i), texts[`${name}/${file}`]!]))
  return { name, video, frames, truth, count }
}

/** The picture of a frame. */
export const pictureOf = (frame: number): string => `frame-${String(frame % CYCLE).padStart(3, '0')}.png`

/** The line, as wide as the frame: cut where it is longer, on its own colour where it is shorter. */
const makePlate = async (line: string, plate: string): Promise<void> => {
  const sharp = await loadSharp('the demo')
  const { data, info } = await sharp(line)
    .resize({ height: PLATE })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const [r, g, b] = data
  await sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .resize({ width: WIDTH, height: PLATE, fit: 'contain', position: 'left', background: { r: r!, g: g!, b: b! } })
    .png()
    .toFile(plate)
}
