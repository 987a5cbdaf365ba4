import { dirname, isAbsolute, join, resolve } from 'node:path'

const FILES = ['cluster-key', 'join-file', 'model', 'io', 'state', 'trace', 'log-file']
/** NAME=dir:PATH */
const SOURCE_FILES = /^([^=,]*=(?:dir|watch):)(.*)$/s
/** Standard output, or something with a scheme. A single letter is a drive. */
const NO_FILE = /^(?:(?:-|stdout)(?:$|,)|(?!file:)[a-z][a-z0-9+.-]+:)/i

/** What a flag says in a config file: paths in it are relative to that file, as in scenarios. */
export const besideConfig = (file: string): ((flag: string, text: string) => string) => {
  const folder = resolve(dirname(file))
  // Its end may be more than a path ("rec.onnx:ocr"), so it stays as it is.
  const beside = (path: string): string =>
    isAbsolute(path) ? path : join(folder, '/') + path.replace(/^(?:\.\/)+/, '')
  return (flag, text) => {
    if (FILES.includes(flag)) return beside(text)
    if (flag === 'sink') return NO_FILE.test(text) ? text : beside(text.replace(/^file:/, ''))
    if (flag === 'source') return text.replace(SOURCE_FILES, (_, head: string, path: string) => head + beside(path))
    return text
  }
}
