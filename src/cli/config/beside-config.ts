import { dirname, isAbsolute, join, resolve } from 'node:path'

const FILES = [
  ...['cluster-key', 'join-file', 'model', 'io', 'state', 'trace', 'log-file', 'provider-options'],
  ...['serve-token-file', 'serve-tls-cert', 'serve-tls-key', 'serve-models']
]
/** NAME=dir:PATH */
const SOURCE_FILES = /^([^=,]*=(?:dir|watch):)(.*)$/s
/** A file of pictures that move: no address, no device, nothing that ffmpeg makes up. A single letter is a drive. */
const VIDEO_FILE = /^([^=,]*=video:)(?![a-z][a-z0-9+.-]+:|-(?:$|,)|,|$|.*,format=)(.*)$/is
const SECRET_FILE = /(,secret-file=)(.+?)(?=,[a-z-]+=|$)/is
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
    const inText = (_: string, head: string, path: string): string => head + beside(path)
    if (flag === 'sink')
      return NO_FILE.test(text) ? text.replace(SECRET_FILE, inText) : beside(text.replace(/^file:/, ''))
    if (flag === 'source') return text.replace(SOURCE_FILES, inText).replace(VIDEO_FILE, inText)
    return text
  }
}
