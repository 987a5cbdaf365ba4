import { basename } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Of the end-to-end tests, those that take longest. */
const LONGEST = [
  ...['sinks', 'package', 'members', 'infer', 'refusals', 'serving-life', 'drain', 'demo', 'emulate', 'tracing'],
  ...['live-sources', 'frigate', 'failures']
]

/** Starts the long files first, so that all workers are done at about the same time, in a fresh clone as well. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.indexOf(basename(moduleId, '.test.ts'))
      return index === -1 ? LONGEST.length : index
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}
