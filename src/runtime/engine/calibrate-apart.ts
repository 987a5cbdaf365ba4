import './no-telemetry.ts'
import { fork } from 'node:child_process'
import { EngineError } from './engine.ts'
import { scriptOf } from './lane-thread.ts'

/**
 * Time the calibration model in a process of its own: a device that carries no block yet need not keep ONNX Runtime in
 * memory for it. @returns the least time of a run, in milliseconds, not emulated
 */
export const calibrateApart = (threads: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = fork(scriptOf('calibrate-process'), [String(threads)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: []
    })
    child.once('message', (least: number) => resolve(least))
    child.once('error', error => reject(new EngineError(`cannot calibrate: ${error.message}`)))
    child.once('exit', code => reject(new EngineError(`cannot calibrate: the process ended with ${code}`)))
  })
