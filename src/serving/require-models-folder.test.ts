import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withFlags } from '../cli/with-flags.ts'
import { requireModelsFolder } from './require-models-folder.ts'

test('a folder of models that there is not, or a file, is refused with what is wrong', async () => {
  const here = import.meta.dirname
  await requireModelsFolder(here)
  const refused = async (folder: string) => withFlags(await requireModelsFolder(folder).catch(error => error))
  expect(await refused('/no/such/models')).toBe(
    '--serve-models /no/such/models: there is no such file or folder (ENOENT)'
  )
  expect(await refused(join(here, 'parameters.ts'))).toMatch(/^--serve-models .*parameters.ts: .*\(ENOTDIR\)$/)
})
