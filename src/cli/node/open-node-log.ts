import { LogFile } from './log-file.ts'
import { createNodeLog, type NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'

/** To standard error, or to a file, until it is disposed. @throws UserError when the file cannot be written */
export const openNodeLog = ({
  name,
  jsonEvents,
  log
}: Pick<NodeOptions, 'name' | 'jsonEvents' | 'log'>): NodeLog & Disposable => {
  const { format, file, size, keep } = log
  const onError = (line: string): void => void process.stderr.write(line)
  if (file === undefined) return { ...createNodeLog({ name, format, jsonEvents }), [Symbol.dispose]: () => {} }
  const lines = new LogFile({ file, size, keep, otherwise: onError })
  const talk = createNodeLog({ name, format, jsonEvents }, { err: line => lines.write(line) })
  return { ...talk, [Symbol.dispose]: () => lines.close() }
}
