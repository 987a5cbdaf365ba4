import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KeptNames } from '../runtime/ports/kept-names.ts'
import { namesFile } from '../runtime/state/names-file.ts'
import { memoryNames, type NamesDisk } from './simulated/memory-names.ts'

/** How names are opened: again and again where the same are kept. */
type Open = () => Promise<() => KeptNames>

const folder = () => mkdtemp(join(tmpdir(), 'tributary-names-'))

describe.each<[string, Open]>([
  [
    'in a file',
    async () => {
      const place = await folder()
      return () => namesFile(place)
    }
  ],
  [
    'in memory',
    async () => {
      const disk: NamesDisk = { names: undefined }
      return () => memoryNames(disk)
    }
  ]
])('names that are kept %s', (_, open) => {
  test('are none at the first start', async () => {
    expect(await (await open())().readNames()).toBeUndefined()
  })

  test('are at the next start what was written last, and whoever wrote them may go on with them', async () => {
    const start = await open()
    const first = start()
    const names = { ocr: { model: 'a', revision: 1 } }
    await first.writeNames(names)
    names.ocr.revision = 9
    expect(await start().readNames()).toEqual({ ocr: { model: 'a', revision: 1 } })
    await first.writeNames({ other: { model: 'b', revision: 2 } })
    const read = (await start().readNames()) as { other: { revision: number } }
    read.other.revision = 9
    expect([await first.readNames(), await start().readNames()]).toEqual([
      { other: { model: 'b', revision: 2 } },
      { other: { model: 'b', revision: 2 } }
    ])
  })
})

test('a file that was torn is an error and not a first start, and can be written again', async () => {
  const place = await folder()
  await writeFile(join(place, 'names.json'), '{"ocr":')
  const names = namesFile(place)
  await expect(names.readNames()).rejects.toThrow()
  await names.writeNames({})
  expect(await names.readNames()).toEqual({})
})
