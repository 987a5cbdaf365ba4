import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectFlat, lacksForLoad, loadStreams } from '../load-streams.ts'

const SECONDS = 1200
const lacking = lacksForLoad()

test.skipIf(lacking !== undefined)(
  `24 streams at three devices for twenty minutes: each item has one outcome, ffmpeg and the broker are killed on the way, and nothing grows${lacking === undefined ? '' : `: skipped, needs ${lacking}`}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-load-'))
    const load = await loadStreams(folder, SECONDS)
    process.stderr.write(`24 streams, ${SECONDS} s: ${JSON.stringify(load.outcomes)}\n`)
    // 12 cameras at two frames a second, 12 topics and folders at one item a second.
    expect(load.outcomes['result']).toBeGreaterThan(0.5 * 36 * SECONDS)
    expectFlat(load, SECONDS, 1)
    await rm(folder, { recursive: true, force: true })
  },
  1_800_000
)
