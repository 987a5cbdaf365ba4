import { expect, test } from 'vitest'
import { endure } from '../../src/testing/endure.ts'

/** What a process that lives for ten minutes or more may still grow by a minute; and what any may have. */
const FLAT = { megabytes: 0.75, files: 0.5 }

test('a bad day of one minute: kills, stops, joins, slow workers, cut links; every datum has exactly one right result', async () => {
  await endure('short', 60, 2)
}, 300_000)

test('a bad day of twenty minutes: every datum has exactly one right result, memory is flat, no file is left open', async () => {
  const { processes, logLines } = await endure('long', 1200, 5)
  const settled = processes.filter(({ megabytesPerMinute }) => megabytesPerMinute !== undefined)
  process.stdout.write(
    `${settled.map(p => `${p.name}: ${p.lived.toFixed(0)} s, ${p.megabytes.toFixed(0)} MB, ${p.megabytesPerMinute!.toFixed(2)} MB and ${p.filesPerMinute!.toFixed(2)} files a minute`).join('\n')}\nlongest log: ${logLines} lines\n`
  )
  if (process.platform === 'linux') expect(settled.length).toBeGreaterThan(0)
  for (const { megabytesPerMinute, filesPerMinute } of settled) {
    expect(megabytesPerMinute).toBeLessThan(FLAT.megabytes)
    expect(filesPerMinute).toBeLessThan(FLAT.files)
  }
}, 2_400_000)
