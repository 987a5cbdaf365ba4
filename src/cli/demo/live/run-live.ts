import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EncodingChoice } from '../../../core/activation-encoding.ts'
import type { Clock } from '../../../core/clock.ts'
import { seconds } from '../../../core/units.ts'
import { NoAnswerError } from '../../../core/user-error.ts'
import { reduceCtcOutput } from '../../../model/files/reduce-output.ts'
import { textTable } from '../../../report/text-table.ts'
import { parseSinkLine, type SinkEntry } from '../../../runtime/ports/sink-entry.ts'
import type { PolicyName } from '../../../scheduler/policies.ts'
import { ClusterFeed } from '../cluster-feed.ts'
import { declaredTimes } from '../declared-times.ts'
import { killLater } from '../kill-later.ts'
import type { KillOrder } from '../kill-order.ts'
import { ocrModelPath } from '../ocr-model-path.ts'
import { plainAnswers } from '../plain-answers.ts'
import type { RunView } from '../run-view.ts'
import { showDevice } from '../show-device.ts'
import { sinkOf, startCluster } from '../start-cluster.ts'
import { withScratch } from '../with-scratch.ts'
import { AGE_BOUND, FRAME_RATE, LIVE_CAMERAS, LIVE_DEVICES, WINDOW } from './live-cluster.ts'
import { type Camera, makeCameras, pictureOf } from './make-cameras.ts'
import { type CameraScore, isWell, scoreCamera } from './score-camera.ts'

export interface LiveOptions {
  readonly policy: PolicyName
  readonly activationEncoding: EncodingChoice
  /** How long the cameras run. */
  readonly seconds: number
  readonly kill: KillOrder | undefined
  readonly seed: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly view: RunView
  readonly print: (text: string) => void
}

export interface LiveDocument {
  readonly devices: readonly object[]
  readonly policy: string
  readonly seconds: number
  readonly killed: KillOrder | null
  /** Nineteen of twenty results are of frames that are no older, in seconds. */
  readonly ageBound: number
  /** By how much blocks took longer than they were declared to: beyond a tenth, ages are not judged. */
  readonly late: number
  readonly cameras: readonly CameraScore[]
}

/** Until the sources are ready, and until the last frames are done. */
const PATIENCE = seconds(90)

/** Two cameras that never wait, on three devices that cannot read everything, one of which dies. Leaves nothing behind. */
export const runLive = (options: LiveOptions): Promise<LiveDocument> => withScratch(scratch => runIn(scratch, options))

const runIn = async (scratch: string, options: LiveOptions): Promise<LiveDocument> => {
  const { view, signal, policy, kill, print } = options
  view.say(`making a video of ${options.seconds} s for each of ${LIVE_CAMERAS.join(' and ')} with ffmpeg ...`)
  const cameras = await makeCameras(join(scratch, 'cameras'), { ...options, names: LIVE_CAMERAS })
  const model = ocrModelPath()
  const images = cameras.map(({ name, frames, truth }) => ({
    ...{ source: name, folder: frames, truth },
    items: [...truth.keys()]
  }))
  const { texts } = await plainAnswers({ modelFile: model, images, signal, view })
  const modelFile = join(scratch, 'ocr.onnx')
  await reduceCtcOutput(model, modelFile)
  const folder = join(scratch, 'run')
  const late = await runCameras(folder, modelFile, cameras, options)
  const scores: CameraScore[] = []
  for (const { name, count } of cameras) {
    const entries = await readEntries(sinkOf(folder, name))
    scores.push(scoreCamera(name, count, entries, frame => texts.get(name)?.get(pictureOf(frame))))
  }
  print(describe(scores, late, options))
  return {
    devices: LIVE_DEVICES.map(device => ({ ...device, emulated: true })),
    ...{ policy, seconds: options.seconds, killed: kill ?? null, ageBound: AGE_BOUND, late, cameras: scores }
  }
}

/** Until each has shown all its frames, and each frame has its outcome. @returns by which share blocks were late */
const runCameras = async (
  folder: string,
  modelFile: string,
  cameras: readonly Camera[],
  options: LiveOptions
): Promise<number> => {
  const { view, signal } = options
  const videos = new Map(cameras.map(({ name, video }) => [name, video]))
  const feed = new ClusterFeed()
  const cluster = await startCluster({
    ...options,
    ...{ folder, modelFile, devices: LIVE_DEVICES, limitMemory: true, work: await declaredTimes(modelFile) },
    sourceFlags: ({ name }) => [
      '--source',
      `${name}=video:${videos.get(name)},model=ocr,pace=real,window=${WINDOW},drop=oldest,queue=1`
    ],
    onEvent: (device, event) => {
      feed.take(device, event)
      showDevice(feed, device, view)
    }
  })
  try {
    await cluster.allSources('ready', PATIENCE)
    cluster.begin()
    const shown = cameras.map(({ name, count }) => ({ name, images: count }))
    view.begin(
      'live',
      shown,
      LIVE_DEVICES.map(({ name }) => name)
    )
    const over = new AbortController()
    const killing = killLater(cluster, options, AbortSignal.any([over.signal, signal]))
    try {
      await cluster.allSources('done', seconds(options.seconds + PATIENCE))
    } finally {
      over.abort()
      await killing
    }
  } finally {
    await cluster.stop()
    view.end()
  }
  return latenessOf(feed)
}

const latenessOf = (feed: ClusterFeed): number => {
  const parts = LIVE_DEVICES.map(({ name }) => feed.device(name))
  const sum = (of: 'busySeconds' | 'lateSeconds'): number => parts.reduce((all, part) => all + (part?.[of] ?? 0), 0)
  return sum('busySeconds') > 0 ? sum('lateSeconds') / (sum('busySeconds') - sum('lateSeconds')) : 0
}

const readEntries = async (file: string): Promise<SinkEntry[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter(line => line !== '')
    .map(parseSinkLine)

const describe = (scores: readonly CameraScore[], late: number, { policy, kill }: LiveOptions): string => {
  const ms = (time: number): string => `${time.toFixed(2)} s`
  const right = { align: 'right' as const }
  const table = textTable(
    [
      { title: 'camera' },
      ...['frames', 'read', 'right', 'dropped', 'failed', 'missing', 'twice'].map(title => ({ title, ...right })),
      ...['age p50', 'p95', 'most'].map(title => ({ title, ...right }))
    ],
    scores.map(score => [
      score.name,
      ...[score.frames, score.results, score.right, score.dropped, score.failed, score.missing, score.twice].map(
        String
      ),
      ...[score.age.p50, score.age.p95, score.age.most].map(ms)
    ])
  )
  const killed = kill === undefined ? '' : `, ${kill.device} killed after ${kill.after} s`
  return [
    `Two cameras of ${FRAME_RATE} frames a second on three emulated devices that can read ${READABLE} in all; ${policy}${killed}:`,
    ...['', table, ''],
    'A frame that cannot be read in time is dropped for a newer one, and that is said. The age is that of a frame when its',
    `result is there: of nineteen in twenty it is to be at most ${AGE_BOUND} s.`,
    ...(late <= MOST_LATE
      ? []
      : [
          `Blocks took ${(100 * late).toFixed(0)} % longer than declared: this machine was busy, and ages are not judged.`
        ])
  ].join('\n')
}

/** Frames a second: all speeds, by the 30 ms that a frame takes at speed 1. */
const READABLE = Math.floor(LIVE_DEVICES.reduce((sum, { speed }) => sum + speed, 0) / 0.03)

/** Of what blocks take: beyond it, ages are those of the machine. */
const MOST_LATE = 0.1

/** @throws NoAnswerError that says which camera's frames did not become what they should */
export const requireWell = ({ cameras, late }: LiveDocument): void => {
  const bad = cameras.filter(camera => !isWell(camera, late > MOST_LATE)).map(({ name }) => name)
  if (bad.length > 0)
    throw new NoAnswerError(`not every frame had one outcome, right and in time: see the rows of ${bad.join(', ')}`)
}
