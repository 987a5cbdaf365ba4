import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findProviders } from '../../src/runtime/engine/providers/find-providers.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import { startedWithProvider } from '../started-with-provider.ts'

/** Where no graphics processor is, one in software may be: Chromium of Debian brings SwiftShader. */
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json'
if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(SOFTWARE)) process.env['VK_ICD_FILENAMES'] = SOFTWARE

const folder = mkdtempSync(join(tmpdir(), 'tributary-webgpu-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const [webgpu] = await findProviders('webgpu', {}, { clock: systemClock, signal: new AbortController().signal })
const lack = webgpu?.lack
if (lack !== undefined) process.stderr.write(`webgpu is not tested: ${lack}\n`)

test.skipIf(lack !== undefined)('blocks run on webgpu and come to the same', { timeout: 240_000 }, async () => {
  const options = join(folder, 'providers.yaml')
  writeFileSync(options, 'webgpu: { evenIfSlower: true }\n')
  const run = (name: string, ...flags: string[]) => startedWithProvider(mkdtempSync(join(folder, name)), flags)
  const plain = await run('cpu')
  const { status, results } = await run('webgpu', '--provider', 'webgpu', '--provider-options', options)
  expect(plain.status.devices[0]!.models['two']!.providers).toBeUndefined()
  expect(status.devices[0]!.models['two']!.providers!.map(({ provider }) => provider)).toEqual(['webgpu', 'webgpu'])
  expect(plain.results).toHaveLength(5)
  expect(results.map(numbersIn)).toEqual(plain.results.map(numbersIn).map(each => each.map(n => expect.closeTo(n, 4))))
})

const numbersIn = (text: string): number[] => (text.match(/-?\d+(?:\.\d+)?(?:e-?\d+)?/g) ?? []).map(Number)
