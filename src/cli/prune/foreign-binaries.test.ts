import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { foreignBinaries } from './foreign-binaries.ts'

const installed = async (): Promise<string> => {
  const runtime = await mkdtemp(join(tmpdir(), 'onnxruntime-'))
  for (const [platform, size] of [
    ['linux/x64', 5],
    ['linux/arm64', 3],
    ['win32/x64', 7]
  ] as const) {
    await mkdir(join(runtime, 'bin/napi-v6', platform), { recursive: true })
    await writeFile(join(runtime, 'bin/napi-v6', platform, 'onnxruntime_binding.node'), 'x'.repeat(size))
  }
  return runtime
}

test('the binaries of other platforms are foreign, the other architecture of this one included', async () => {
  const found = await foreignBinaries(await installed(), 'linux-x64')
  expect(found.map(({ platform, bytes }) => [platform, bytes]).sort()).toEqual([
    ['linux-arm64', 3],
    ['win32-x64', 7]
  ])
})

test('where the own ones are not found, nothing is foreign', async () => {
  expect(await foreignBinaries(await installed(), 'linux-riscv64')).toEqual([])
  expect(await foreignBinaries('/nowhere')).toEqual([])
})
