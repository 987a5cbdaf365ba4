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

test.skipIf(lack !== undefined)(
  'blocks run on webgpu, which came to what cpu does when they were loaded',
  { timeout: 240_000 },
  async () => {
    const options = join(folder, 'providers.yaml')
    writeFileSync(options, 'webgpu: { evenIfSlower: true, limit: 0.00001 }\n')
    const { status, results } = await startedWithProvider(folder, [
      ...['--provider', 'webgpu', '--provider-options', options]
    ])
    expect(status.devices[0]!.models['two']!.providers!.map(({ provider }) => provider)).toEqual(['webgpu', 'webgpu'])
    expect(results).toHaveLength(5)
  }
)
