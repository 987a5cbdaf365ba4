import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ReportData } from '../../report/figures/figure.ts'
import { writeReport } from './write-report.ts'

test('a report is a page, its figures as files, and its numbers; files of others stay', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'report-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const data: ReportData = {
    command: 'tributary simulate mine.yaml',
    report: { saturated: true, scenario: 'mine', runs: [], bound: null },
    trace: { tasks: [], transfers: [], data: [], events: [], inferenceTimes: [], placement: { shed: { net: [0] } } }
  }
  await mkdir(join(folder, 'figures'))
  await writeFile(join(folder, 'figures', 'mine.svg'), 'mine')
  await writeReport(folder, data)
  expect((await readdir(folder)).sort()).toEqual(['data.json', 'figures', 'index.html'])
  expect((await readdir(join(folder, 'figures'))).sort()).toEqual(['mine.svg', 'placement.svg'])
  const svg = await readFile(join(folder, 'figures', 'placement.svg'), 'utf8')
  expect(await readFile(join(folder, 'index.html'), 'utf8')).toContain(svg)
  expect(JSON.parse(await readFile(join(folder, 'data.json'), 'utf8'))).toEqual(data.report)
  expect(await readFile(join(folder, 'figures', 'mine.svg'), 'utf8')).toBe('mine')
})
