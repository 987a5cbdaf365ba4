import type { EncodingChoice } from '../../core/activation-encoding.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { createBarView } from './bar-view.ts'
import { DEMO_SOURCES, type DemoPolicy } from './demo-cluster.ts'
import { parseKillOrder } from './kill-order.ts'
import { createLineView } from './line-view.ts'
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
}

/** Runs the demo between a terminal and the machine's clock; Ctrl-C stops every device first. */
export const runDemoCommand = async (options: DemoCommandOptions): Promise<void> => {
  const talk = (line: string): void => {
    process.stderr.write(`${line}\n`)
  }
  await requireDemoPackages()
  if (options.renderOnly !== undefined) {
    const { renderOnly: folder, count: imagesPerSource, seed } = options
    await renderImages(folder, { sources: DEMO_SOURCES, imagesPerSource, seed })
    talk(`${imagesPerSource} images in each of ${DEMO_SOURCES.map(source => `${folder}/${source}`).join(' and ')}`)
    return
  }
  const kill = options.kill === undefined ? undefined : parseKillOrder(options.kill)
  const interrupt = new AbortController()
  const onSignal = (): void => {
    // Drawing and reading images is left where it is; devices are asked to stop.
    if (interrupt.signal.aborted || !hadChildren()) process.exit(130)
    talk('\nstopping the devices (again to kill them)')
    interrupt.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    const document = await runDemo({
      policies: options.policies,
      activationEncoding: options.activationEncoding,
      images: options.images,
      imagesPerSource: options.count,
      kill,
      seed: options.seed,
      clock: systemClock,
      signal: interrupt.signal,
      view: process.stderr.isTTY ? createBarView(process.stderr) : createLineView(talk, systemClock),
      print: options.json === true ? () => {} : text => process.stdout.write(`${text}\n`)
    })
    if (options.json === true) process.stdout.write(`${JSON.stringify(document)}\n`)
    requireAllRight(document)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    process.exit(130)
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}
