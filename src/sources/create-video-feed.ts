import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import { hidePassword } from '../runtime/io/hide-password.ts'
import type { ImageTarget } from '../runtime/io/image-to-tensor.ts'
import { isLiveVideo } from '../runtime/io/source-spec.ts'
import type { Feed, FeedParts } from './feed.ts'
import { FeedFailed } from './feed-failed.ts'
import { ffmpegArguments, SILENCE, type VideoInput } from './ffmpeg-arguments.ts'
import { ffmpegAbsent } from './require-ffmpeg.ts'
import { splitPictures } from './split-pictures.ts'

export interface VideoFeedParts {
  readonly video: VideoInput
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
  /** What is run, and what comes before its arguments. @default ffmpeg */
  readonly command?: readonly [string, ...string[]]
}

/** Before ffmpeg is started again, each time twice as long; from the beginning when frames came for a while. */
const FIRST_PAUSE: Seconds = seconds(0.5)
/** What gave frames for so long is there, and not on and off. */
const STEADY: Seconds = seconds(10)
const LONGEST_PAUSE: Seconds = seconds(30)
/** So many frames that are due and do not come are silence too. */
const MISSING_FRAMES = 3
/** Of what ffmpeg says. */
const MOST_WORDS = 2000

/** How a run of ffmpeg ended. */
interface Ending {
  readonly because: string
  /** It has read all there is. */
  readonly isWhole: boolean
  /** It was killed, not by us. */
  readonly wasKilled: boolean
}

/**
 * The frames of a video as the system's ffmpeg decodes them. A camera that is away is tried again for ever; a file ends where it ends, and where
 * ffmpeg is killed in its midst it goes on with the frame that is next.
 */
export const createVideoFeed = (parts: VideoFeedParts): Feed => ({
  run: async feed => {
    const { target } = feed.port
    const name = hidePassword(parts.video.input)
    if (target === undefined) throw new UserError(`video:${name}: frames are images; choose a preset for images`)
    await new Video(parts, feed, target, name).run()
  }
})

class Video {
  readonly #parts: VideoFeedParts
  readonly #feed: FeedParts
  readonly #target: ImageTarget
  readonly #name: string
  readonly #silence: Seconds
  /** Frames that went in. */
  #taken = 0
  #isFull = false
  #complaint = ''

  constructor(parts: VideoFeedParts, feed: FeedParts, target: ImageTarget, name: string) {
    this.#parts = parts
    this.#feed = feed
    this.#target = target
    this.#name = name
    this.#silence = seconds(Math.max(SILENCE, MISSING_FRAMES / (parts.video.fps ?? MISSING_FRAMES)))
  }

  async run(): Promise<void> {
    const { clock, video } = this.#parts
    const { signal } = this.#feed
    const isLive = isLiveVideo(video.input, video.format)
    let pause = FIRST_PAUSE
    while (!signal.aborted) {
      const begun = clock.now()
      const { because, isWhole, wasKilled } = await this.#once(isLive ? 0 : this.#taken)
      if (signal.aborted || this.#isFull || (isWhole && !isLive)) return
      if (!isLive && !wasKilled) throw new FeedFailed(`video:${this.#name}: ${because}`)
      this.#complain(because)
      if (clock.now() - begun > STEADY) pause = FIRST_PAUSE
      await clock.sleep(pause, { signal }).catch(() => {})
      pause = seconds(Math.min(2 * pause, LONGEST_PAUSE))
    }
  }

  /** One run of ffmpeg. @param skipped frames that are in already */
  async #once(skipped: number): Promise<Ending> {
    const { signal } = this.#feed
    const [command, ...first] = this.#parts.command ?? ['ffmpeg']
    const args = [...first, ...ffmpegArguments(this.#parts.video, this.#target, this.#feed.port.keepsSize)]
    const child = await started(command, args)
    if (typeof child === 'string') return { because: child, isWhole: false, wasKilled: false }
    const kill = (): void => {
      child.kill('SIGKILL')
      child.stdout.destroy() // nobody reads on
    }
    if (signal.aborted) kill()
    signal.addEventListener('abort', kill, { once: true })
    const end = endOf(child)
    const words = wordsOf(child)
    try {
      const { stopped } = await this.#read(child, skipped)
      kill()
      const { code, byWhom } = await end
      const said = hidePassword(words().trim().split('\n').at(-1) ?? '')
      const wasKilled = stopped === undefined && byWhom !== null
      const how = wasKilled
        ? `ffmpeg was killed (${byWhom})`
        : `ffmpeg ended${code === 0 ? '' : `: ${said || `code ${code}`}`}`
      return { because: stopped ?? how, isWhole: code === 0, wasKilled }
    } finally {
      kill()
      signal.removeEventListener('abort', kill)
    }
  }

  /** @returns when its output has ended, or was not to be waited for any more, and why */
  async #read(child: Child, skipped: number): Promise<{ readonly stopped?: string }> {
    const pictures = splitPictures(child.stdout)
    for (let frames = 0; ; frames++) {
      const next = await this.#unlessSilent(pictures.next())
      if (next === 'silent') return { stopped: `nothing came for ${this.#silence} s` }
      if (next.done) return {}
      if (frames === 0) this.#relieved()
      if (frames < skipped) continue
      const datum = await this.#feed.offer({
        name: `frame ${this.#taken}`,
        content: { kind: 'frame', frame: next.value }
      })
      this.#isFull = datum === undefined
      if (this.#isFull) return { stopped: 'no more are taken' }
      this.#taken++
    }
  }

  async #unlessSilent<T>(coming: Promise<T>): Promise<T | 'silent'> {
    const over = new AbortController()
    const silence = this.#parts.clock.sleep(this.#silence, { signal: over.signal }).then(
      () => 'silent' as const,
      () => new Promise<never>(() => {})
    )
    try {
      return await Promise.race([coming, silence])
    } finally {
      over.abort()
    }
  }

  /** Once for each thing that is wrong, not once for each try. */
  #complain(because: string): void {
    if (because !== this.#complaint) this.#parts.say(`video:${this.#name}: ${because}; tried again`, 'warn')
    this.#complaint = because
  }

  #relieved(): void {
    if (this.#complaint !== '') this.#parts.say(`video:${this.#name}: frames come again`)
    this.#complaint = ''
  }
}

type Child = ChildProcessByStdio<null, Readable, Readable>

/** @returns it runs; or why it does not, which may pass: it was there when the device started */
const started = async (command: string, args: readonly string[]): Promise<Child | string> => {
  try {
    return await new Promise<Child>((resolve, reject) => {
      const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
      child.once('spawn', () => resolve(child))
      child.on('error', reject)
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ffmpegAbsent(command).message
    return `${command} cannot be run: ${(error as Error).message}`
  }
}

const endOf = (child: Child) =>
  new Promise<{ readonly code: number | null; readonly byWhom: NodeJS.Signals | null }>(resolve => {
    child.once('close', (code, byWhom) => resolve({ code, byWhom }))
  })

/** The last of what it says. */
const wordsOf = (child: Child): (() => string) => {
  let words = ''
  child.stderr.on('data', chunk => {
    words = `${words}${chunk}`.slice(-MOST_WORDS)
  })
  return () => words
}
