import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { startedWithProvider } from '../started-with-provider.ts'

let folder = ''
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** For no Linux and no Windows at once. */
const ABSENT = process.platform === 'darwin' ? 'dml' : 'coreml'

test('a provider that is not there is said, and blocks run on cpu', { timeout: 60_000 }, async () => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-absent-'))
  const { stderr, status, results } = await startedWithProvider(folder, ['--provider', ABSENT])
  expect(results).toHaveLength(5)
  expect(stderr).toContain(`provider ${ABSENT} is not there: ONNX Runtime for ${process.platform}`)
  const { providers } = status.devices[0]!.models['two']!
  expect(providers!.map(({ provider }) => provider)).toEqual(['cpu', 'cpu'])
  expect(providers![0]!.because).toContain(`${ABSENT}: ONNX Runtime for`)
})
