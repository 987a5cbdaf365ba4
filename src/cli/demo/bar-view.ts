import cliProgress, { type SingleBar } from 'cli-progress'
import type { RunView } from './run-view.ts'

/** For a terminal: a bar for each source's images and each device's work. */
export const createBarView = (stream: NodeJS.WriteStream): RunView => {
  let bars: cliProgress.MultiBar | undefined
  const sources = new Map<string, SingleBar>()
  const devices = new Map<string, SingleBar>()
  const options = {
    stream,
    clearOnComplete: false,
    hideCursor: true,
    barsize: 24,
    autopadding: true,
    format: '  {label} {bar} {text}',
    barCompleteChar: '█',
    barIncompleteChar: '░'
  }
  const pad = (name: string): string => name.padEnd(8)
  return {
    say: text => {
      if (bars === undefined) stream.write(`${text}\n`)
      else bars.log(`${text}\n`)
    },
    begin: (_policy, images, names) => {
      bars = new cliProgress.MultiBar(options)
      for (const { name, images: total } of images) {
        sources.set(name, bars.create(total, 0, { label: pad(name), text: `0 of ${total} images` }))
      }
      for (const name of names) devices.set(name, bars.create(100, 0, { label: pad(name), text: '' }))
    },
    source: (name, done, rate) => {
      const bar = sources.get(name)
      bar?.update(done, { text: `${done} of ${bar.getTotal()} images, ${rate.toFixed(1)}/s` })
    },
    device: (name, { busy, queue, blocks }) => {
      const share = Math.round(100 * Math.min(1, busy))
      const text = `${share} % busy, ${queue} queued, carries ${blocks}`
      devices.get(name)?.update(share, { text })
    },
    end: () => {
      bars?.stop()
      bars = undefined
      sources.clear()
      devices.clear()
    }
  }
}
