import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { PUBLISHED_RESULTS } from '../../bench/published/published-results.ts'
import type { PublishedRow } from '../../bench/published/published-row.ts'
import { type Ran, runPublished } from '../run-published.ts'

const SCENARIOS = fileURLToPath(new URL('../../scenarios/', import.meta.url))

const rowsOf = ({ stdout }: Ran): readonly PublishedRow[] => JSON.parse(stdout) as PublishedRow[]

describe('bench:published', () => {
  test('DNNPipe: its slowest stage, its rate, and the bound', async () => {
    const ran = await runPublished('dnnpipe', '--json')
    expect(ran.code).toBe(0)
    const rows = rowsOf(ran)
    expect(rows.map(({ name, ok }) => [name, ok])).toEqual([
      ['dnnpipe-effnetv2b0-stage', true],
      ['dnnpipe-effnetv2b0', true],
      ['dnnpipe-effnetv2b0-bound', true]
    ])
    expect(rows[0]!.ours).toBeCloseTo(3.16649, 4)
    expect(Math.abs(rows[1]!.ours / 315.8 - 1)).toBeLessThan(0.005)
    expect(rows[2]!.ours).toBeCloseTo(3.15881, 4)
  })

  test('as a table within 80 columns; where we do not agree, it says so and why, and is not told as agreement', async () => {
    const { code, stdout } = await runPublished('ar-ddi-large-inputs', 'ms-ar-two-sources-3')
    expect(code).toBe(0)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect(stdout).toMatch(/name +published +ours +unit +deviation +limit +ok\n/)
    expect(stdout).toMatch(/ms-ar-two-sources-3 +< 1 +0\.\d+ +ratio +-[\d.]+ % +< 1 +yes/)
    expect(stdout).toMatch(/ar-ddi-large-inputs +< 1 +[1-9][\d.]+ +ratio +[\d.]+ % +none +no\*/)
    expect(stdout).toContain('ar-ddi-large-inputs: not reproduced: our ddi')
    expect(stdout).toContain('* we do not agree, say why, and claim nothing')
  })

  test('a name that is none, and an option that is none, are wrong use', async () => {
    expect(await runPublished('dnnpip-effnetv2b0')).toMatchObject({
      ...{ code: 2, stdout: '' },
      stderr: expect.stringMatching(
        /^there is no published result "dnnpip-effnetv2b0", did you mean "dnnpipe-effnetv2b0"\? \(known: .*\)\n$/
      )
    })
    expect(await runPublished('--jason')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('"--jason"')
    })
  })
})

test('every published scenario is measured, and states its source, what is theirs and what is ours', async () => {
  const files = (await readdir(`${SCENARIOS}published`)).map(file => `published/${file}`)
  const used = new Set(PUBLISHED_RESULTS.map(({ scenario }) => scenario))
  expect(files.filter(file => !used.has(file))).toEqual([])
  for (const file of files) {
    const head = (await readFile(SCENARIOS + file, 'utf8')).split('\ndevices:')[0]!
    for (const word of ['# Published: ', '# Source: ', '# Theirs: ', '# Ours: ', '# Measured '])
      expect(head).toContain(word)
  }
})
