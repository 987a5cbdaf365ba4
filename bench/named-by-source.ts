import { existsSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Where a function begins, as V8's profiles have it. */
export interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
  readonly columnNumber: number
}

const maps = new Map<string, SourceMap | undefined>()

const mapOf = (file: string): SourceMap | undefined => {
  if (!maps.has(file)) {
    const map = join(dirname(file), '..', 'maps', `${basename(file)}.map`)
    maps.set(file, existsSync(map) ? new SourceMap(JSON.parse(readFileSync(map, 'utf8'))) : undefined)
  }
  return maps.get(file)
}

/** What a device loads is joined into few files: the same frame, in the file where it was written. */
export const namedBySource = (frame: CallFrame): CallFrame => {
  const { functionName, url, lineNumber, columnNumber } = frame
  if (!url.startsWith('file:')) return frame
  const file = fileURLToPath(url)
  const entry = mapOf(file)?.findEntry(lineNumber, columnNumber)
  if (entry === undefined || !('originalSource' in entry)) return frame
  const source = pathToFileURL(resolve(dirname(file), entry.originalSource)).href
  return { functionName, url: source, lineNumber: entry.originalLine, columnNumber: entry.originalColumn }
}
