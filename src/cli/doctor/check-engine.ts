import { createRequire } from 'node:module'
import { formatSeconds } from '../../core/format-quantity.ts'
import { calibrateApart } from '../../runtime/engine/calibrate-apart.ts'
import type { Finding } from './finding.ts'

/** ONNX Runtime runs a small model in a process of its own: where its library does not fit the processor, that ends and not this one. */
export const checkEngine = async (): Promise<Finding> => {
  const check = 'ONNX Runtime'
  try {
    const least = await calibrateApart(1)
    return {
      check,
      state: 'ok',
      found: `version ${versionOf()} runs; the calibration takes ${formatSeconds(least / 1000)}`
    }
  } catch (error) {
    return {
      check,
      state: 'todo',
      found: `does not run: ${(error as Error).message}`,
      remedy: `npm install --ignore-scripts onnxruntime-node on this machine (${process.platform} ${process.arch}); it needs glibc on Linux, and a processor of 64 bits`
    }
  }
}

const versionOf = (): string => {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { readonly version: string }
  return version
}
