import { mkdtempSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { wallTime } from '../system-clock.ts'
import type { FileItem } from './file-item.ts'
import { refuseMisfits } from './refuse-misfits.ts'

/** A folder of files an hour old, named in order; those whose text is 'good' can be read. */
const filled = (texts: readonly string[], age = 3600) => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-misfit-'))
  const items = texts.map((text, i): FileItem => {
    const name = `${String(i).padStart(4, '0')}.bin`
    const path = join(folder, name)
    writeFileSync(path, text)
    const then = wallTime() - age
    utimesSync(path, then, then)
    return { name, path }
  })
  const tried: string[] = []
  const port = {
    read: async ({ name }: FileItem) => {
      tried.push(name)
      if (texts[items.findIndex(item => item.name === name)] !== 'good') throw new UserError(`${name}: is no image`)
      return []
    }
  }
  return {
    folder,
    items,
    tried,
    check: () => refuseMisfits({ port, items, folder, origin: 'preset imagenet', now: wallTime() })
  }
}

test('a folder in which nothing fits is one refusal that says what fits what, whatever its size', async () => {
  const { check, folder } = filled(['bad', 'bad', 'bad'])
  await expect(check()).rejects.toThrow(
    new UserError(
      `source dir:${folder}: preset imagenet fits none of its 3 files, the first: 0000.bin: is no image; name the folder of the right files, or choose another preset or io file`
    )
  )
  const large = filled(new Array<string>(1385).fill('bad'))
  await expect(large.check()).rejects.toThrow(/fits none of 100 of its 1385 files that were tried/)
  expect(new Set(large.tried).size).toBe(100)
})

test('one that fits is enough, among the first or anywhere', async () => {
  const first = filled(['bad', 'good', 'bad'])
  await first.check()
  expect(first.tried).toEqual(['0000.bin', '0001.bin'])
  await filled([...new Array<string>(60).fill('bad'), 'good', ...new Array<string>(30).fill('bad')]).check()
  await filled([...new Array<string>(1000).fill('bad'), ...new Array<string>(1000).fill('good')]).check()
})

test('a file that may still be written, is empty or away is no reason to refuse', async () => {
  await filled(['bad'], 2).check()
  await filled(['']).check()
  const gone = filled(['bad'])
  await refuseMisfits({
    port: { read: () => Promise.reject(new UserError('not there')) },
    items: [{ name: 'x', path: join(gone.folder, 'x') }],
    folder: gone.folder,
    origin: 'preset raw',
    now: seconds(wallTime())
  })
})
