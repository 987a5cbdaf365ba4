import './no-telemetry.ts'
import { forkApart } from '../fork-apart.ts'
import { onceEnded } from '../once-ended.ts'
import { EngineError } from '../ports/engine.ts'
import { scriptOf } from './lane-thread.ts'

/**
 * Time the calibration model in a process of its own: a device that carries no block yet need not keep ONNX Runtime in
 * memory for it. @param signal ends it @returns the least time of a run, in milliseconds
 */
export const calibrateApart = (threads: number, signal?: AbortSignal): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = forkApart(scriptOf('calibrate-process'), [String(threads)], { signal })
    child.once('message', (least: number) => resolve(least))
    child.once('error', error =>
      reject(new EngineError(signal?.aborted ? 'the engine has stopped' : `cannot calibrate: ${error.message}`))
    )
    onceEnded(child, code => reject(new EngineError(`cannot calibrate: the process ended with ${code}`)))
  })
