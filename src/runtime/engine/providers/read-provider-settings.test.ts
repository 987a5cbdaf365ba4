import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readProviderSettings } from './read-provider-settings.ts'

const written = (text: string): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'tributary-providers-')), 'p.yaml')
  writeFileSync(file, text)
  return file
}

test('reads options, with what is usual for those that are left out', async () => {
  const file = written('cuda: { options: { deviceId: 1 }, limit: 0.01 }\nwebgpu: { evenIfSlower: true }\n')
  expect(await readProviderSettings(file)).toEqual({
    cuda: { options: { deviceId: 1 }, limit: 0.01, evenIfSlower: false },
    webgpu: { options: {}, limit: 1e-3, evenIfSlower: true }
  })
  expect(await readProviderSettings(written(''))).toEqual({})
})

test.each([
  ['cudda: {}', /unknown key "cudda", did you mean "cuda"/],
  ['cuda: { limits: 1 }', /cuda: unknown key "limits", did you mean "limit"/],
  ['cuda: { limit: 2 }', /cuda\.limit: /],
  ['cuda: { options: { deviceId: [1] } }', /cuda\.options\.deviceId/],
  ['cuda: {', /is not YAML/],
  [`# ${'x'.repeat(70_000)}`, /more than 64 KiB/]
])('refuses %.40s', async (text, words) => {
  await expect(readProviderSettings(written(text))).rejects.toThrow(words)
})

test('names a file that is not there', async () => {
  await expect(readProviderSettings('/nowhere/p.yaml')).rejects.toThrow(/\/nowhere\/p\.yaml: there is no such file/)
})
