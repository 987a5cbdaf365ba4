import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { describeFileError } from '../../core/describe-file-error.ts'
import { parseScenario, type Scenario, type ScenarioModel, type SourceFiles } from '../../core/scenario.ts'
import { UserError } from '../../core/user-error.ts'
import { saying } from './saying.ts'

/** A scenario is written by people: more than this is something else. */
const MAX_BYTES = 8 * 2 ** 20

/**
 * Read and check a scenario file (YAML, so JSON too). Model files and folders of data are relative to it; files are counted
 * where a source does not say how many it takes.
 * @throws UserError with file, field, value and remedy
 */
export const readScenario = async (file: string): Promise<Scenario> => {
  const scenario = parseScenario(parsed(await text(file), file), file)
  const models = scenario.models.map(model =>
    model.kind === 'file' ? { ...model, file: resolve(dirname(file), model.file) } : model
  )
  const sources = await Promise.all(
    scenario.sources.map(async (source, i) => {
      if (source.files === undefined) return source
      const files = beside(file, source.files)
      if (Number.isFinite(source.count)) return { ...source, files }
      return { ...source, files, count: await countOf(files, models[source.model]!, `${file}: sources[${i}].dir`) }
    })
  )
  return { ...scenario, models, sources }
}

const beside = (file: string, { dir, reading }: SourceFiles): SourceFiles => ({
  dir: resolve(dirname(file), dir),
  reading: 'preset' in reading ? reading : { ioFile: resolve(dirname(file), reading.ioFile) }
})

const countOf = async (files: SourceFiles, model: ScenarioModel, where: string): Promise<number> => {
  const { countFiles } = await import('./count-files.ts')
  return saying(where, () => countFiles(files, model))
}

const text = async (file: string): Promise<string> => {
  try {
    const { size } = await stat(file)
    if (size > MAX_BYTES) throw new UserError(`${file}: ${size} bytes; a scenario has at most ${MAX_BYTES}`)
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`${file}: ${describeFileError(error)}`)
  }
}

const parsed = (written: string, file: string): unknown => {
  try {
    return parse(written)
  } catch (error) {
    throw new UserError(`${file}: not YAML: ${(error as Error).message.split('\n')[0]}`)
  }
}
