import type { ImageTarget } from '../runtime/io/image-to-tensor.ts'

export interface VideoInput {
  /** A file, an address, a device. */
  readonly input: string
  /** ffmpeg's name of its format, where that does not follow from the input. */
  readonly format: string | undefined
  /** So many frames a second; undefined: all there are. */
  readonly fps: number | undefined
  /** A file is read as fast as it is taken, or as fast as it was made. */
  readonly pace: 'fast' | 'real'
}

/** Before an input that says nothing is given up, in seconds. */
export const SILENCE = 10

/** Of one picture, as of images elsewhere: what says that it has more takes no memory. */
const MOST_PIXELS = 1e8

/**
 * What makes ffmpeg write frames to its standard output, one PPM or PGM picture after the other, scaled to what the model takes.
 * @param keepsSize they are not scaled
 */
export const ffmpegArguments = (video: VideoInput, target: ImageTarget, keepsSize: boolean): readonly string[] => {
  const { input, fps, pace } = video
  const format = video.format ?? (/^\/dev\/video/.test(input) ? 'v4l2' : undefined)
  const isGray = target.input.channels === 'gray'
  const filters = [...(fps === undefined ? [] : [`fps=${fps}`]), ...(keepsSize ? [] : scaleFilter(target))]
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-max_pixels', `${MOST_PIXELS}`],
    ...(/^rtsps?:/i.test(input) ? ['-rtsp_transport', 'tcp', '-timeout', `${SILENCE * 1e6}`] : []),
    ...(/^https?:/i.test(input) ? ['-rw_timeout', `${SILENCE * 1e6}`] : []),
    ...(pace === 'real' ? ['-re'] : []),
    ...(format === undefined ? [] : ['-f', format]),
    ...['-i', input, '-map', '0:v:0'],
    ...(filters.length === 0 ? [] : ['-vf', filters.join(',')]),
    ...(fps === undefined ? ['-fps_mode', 'passthrough'] : []),
    ...['-pix_fmt', isGray ? 'gray' : 'rgb24', '-c:v', isGray ? 'pgm' : 'ppm', '-f', 'image2pipe', 'pipe:1']
  ]
}

/** Scaled where the frame is decoded, so that few bytes cross; what is to be cut or padded is done here. No size: as it comes. */
const scaleFilter = ({ input: { resize, crop }, size }: ImageTarget): readonly string[] => {
  if (resize === undefined)
    return crop === undefined && size !== undefined ? [`scale=${size.width}:${size.height}`] : []
  const { shorter, width = size?.width, height = size?.height, fit = 'fill', maxWidth = 65_536 } = resize
  if (shorter !== undefined) return [`scale='if(lt(iw,ih),${shorter},-1)':'if(lt(iw,ih),-1,${shorter})'`]
  if (height === undefined) return []
  if (fit === 'height') return [`scale='min(${maxWidth},max(1,ceil(iw*${height}/ih)))':${height}`]
  if (width === undefined) return []
  if (fit === 'fill') return [`scale=${width}:${height}`]
  return [`scale=${width}:${height}:force_original_aspect_ratio=${fit === 'cover' ? 'increase' : 'decrease'}`]
}
