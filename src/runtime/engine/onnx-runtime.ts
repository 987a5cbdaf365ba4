import './no-telemetry.ts'
import ort from 'onnxruntime-node'

// What goes wrong comes back as an error; the library's own coloured lines on stderr would say it a second time.
ort.env.logLevel = 'fatal'

/** Of a session: it logs nothing. */
export const SILENT = 4

/** What ONNX Runtime says of an error, which it spreads over several lines, in one. */
export const ortWords = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/\/onnxruntime_src\/\S+:\d+ /g, '') // where in its source, on the machine that built it
    .replace(/\s*\n\s*/g, ' ')
    .trim()

export { ort }
