import type { EncodingChoice } from '../../core/activation-encoding.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { requireFfmpeg } from '../../sources/require-ffmpeg.ts'
import { createBarView } from './bar-view.ts'
import { DEMO_SOURCES, type DemoPolicy } from './demo-cluster.ts'
import { type KillOrder, parseKillOrder } from './kill-order.ts'
import { createLineView } from './line-view.ts'
import { LIVE_CAMERAS, LIVE_DEVICES } from './live/live-cluster.ts'
import { makeCameras } from './live/make-cameras.ts'
import { requireWell, runLive } from './live/run-live.ts'
import { hadChildren } from './live-children.ts'
import { renderImages } from './render-images.ts'
import { requireDemoPackages } from './require-demo-packages.ts'
import { requireAllRight, runDemo } from './run-demo.ts'

export interface DemoCommandOptions {
  readonly json?: boolean
  readonly policies: readonly DemoPolicy[]
  readonly activationEncoding: EncodingChoice
  readonly images?: string
  readonly count: number
  readonly kill?: string
  readonly seed: string
  readonly renderOnly?: string
  readonly live?: boolean
  readonly seconds: number
}

/** Runs the demo between a terminal and the machine's clock; Ctrl-C stops every device first. */
export const runDemoCommand = async (options: DemoCommandOptions): Promise<void> => {
  const talk = (line: string): void => {
    process.stderr.write(`${line}\n`)
  }
  await requireDemoPackages()
  const { live = false, renderOnly: folder, seed } = options
  if (live) await requireFfmpeg()
  if (folder !== undefined && live) {
    const [names, signal] = [LIVE_CAMERAS, new AbortController().signal]
    await makeCameras(folder, { names, seconds: options.seconds, seed, signal })
    talk(`a video of ${options.seconds} s each: ${names.map(name => `${folder}/${name}.mkv`).join(' and ')}`)
    return
  }
  if (folder !== undefined) {
    const { count: imagesPerSource } = options
    await renderImages(folder, { sources: DEMO_SOURCES, imagesPerSource, seed })
    talk(`${imagesPerSource} images in each of ${DEMO_SOURCES.map(source => `${folder}/${source}`).join(' and ')}`)
    return
  }
  const kill = live ? liveKill(options) : options.kill === undefined ? undefined : parseKillOrder(options.kill)
  const interrupt = new AbortController()
  const onSignal = (): void => {
    // Drawing and reading images is left where it is; devices are asked to stop.
    if (interrupt.signal.aborted || !hadChildren()) process.exit(130)
    talk('\nstopping the devices (again to kill them)')
    interrupt.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    const common = {
      ...{ activationEncoding: options.activationEncoding, kill, seed, clock: systemClock },
      signal: interrupt.signal,
      view: process.stderr.isTTY ? createBarView(process.stderr) : createLineView(talk, systemClock),
      print: options.json === true ? () => {} : (text: string) => process.stdout.write(`${text}\n`)
    }
    const answer = (document: object): void => {
      if (options.json === true) process.stdout.write(`${JSON.stringify(document)}\n`)
    }
    if (live) {
      const document = await runLive({ ...common, policy: options.policies.at(-1)!, seconds: options.seconds })
      answer(document)
      requireWell(document)
    } else {
      const { policies, images, count: imagesPerSource } = options
      const document = await runDemo({ ...common, policies, images, imagesPerSource })
      answer(document)
      requireAllRight(document)
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    process.exit(130)
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

/** After a third of the time, unless it is said. */
const liveKill = ({ kill, seconds }: DemoCommandOptions): KillOrder => {
  const worker = LIVE_DEVICES.find(({ source }) => !source)!.name
  return parseKillOrder(kill ?? `${worker}@${Math.round(seconds / 3)}`, LIVE_DEVICES)
}
