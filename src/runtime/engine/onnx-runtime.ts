import './no-telemetry.ts'
import ort from 'onnxruntime-node'

// What goes wrong comes back as an error; the library's own coloured lines on stderr would say it a second time.
ort.env.logLevel = 'fatal'

/** Of a session: it logs nothing. */
export const SILENT = 4

/** Where in its source, on the machine that built it: a path or a file with its line, and the function. */
const PLACE =
  /\/onnxruntime_src\/\S+:\d+ (?:[\w:<>,*&~\s]+\([^()]*(?:\([^()]*\)[^()]*)*\)(?: const)?(?: \[with [^\]]*\])? )?|\b\w+\.(?:cc|h):\d+ \w+ /g

/** What ONNX Runtime says of an error, in one line. */
export const ortWords = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(PLACE, '')
    .replace(/\s*\n\s*/g, ' ')
    .trim()

export { ort }
