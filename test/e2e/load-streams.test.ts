import { test } from 'vitest'
import { expectStreamsHeld, lacksForLoad } from '../load-streams.ts'

const SECONDS = 80
const lacking = lacksForLoad()

test.skipIf(lacking !== undefined)(
  `24 streams at three devices for eighty seconds: each item has one outcome, ffmpeg and the broker are killed on the way, and nothing grows${lacking === undefined ? '' : `: skipped, needs ${lacking}`}`,
  () => expectStreamsHeld(SECONDS, 30),
  300_000
)
