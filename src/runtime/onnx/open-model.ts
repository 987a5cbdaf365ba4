import type { InferenceSession } from 'onnxruntime-node'
import type { OpenModel, PortInfo } from '../../model/open-model.ts'
import { ort, ortWords, SILENT } from '../engine/onnx-runtime.ts'
import { fromOrt, toOrt } from '../engine/ort-tensor.ts'

/** ONNX Runtime on this very thread, which a run blocks: for commands that do one thing. Devices use the engine's lane. */
export const openModel: OpenModel = async (file, { optimise = true, threads = 1 } = {}) => {
  const session = await inWords(
    ort.InferenceSession.create(file, {
      graphOptimizationLevel: optimise ? 'all' : 'disabled',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: SILENT
    })
  )
  const outputs = session.outputMetadata.map(portInfo)
  const names = outputs.map(output => output.name)
  return {
    inputs: session.inputMetadata.map(portInfo),
    outputs,
    run: async (feeds, wanted = names) => {
      const results = await inWords(
        session.run(Object.fromEntries(feeds.map(feed => [feed.name, toOrt(feed)])), wanted)
      )
      return wanted.map(name => fromOrt(name, results[name]!))
    },
    close: () => session.release()
  }
}

const inWords = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await answer
  } catch (error) {
    throw new Error(ortWords(error), { cause: error })
  }
}

const portInfo = (info: InferenceSession.ValueMetadata): PortInfo => ({
  name: info.name,
  isTensor: info.isTensor,
  type: info.isTensor ? info.type : '',
  shape: info.isTensor ? info.shape.map(d => (d === '' || (typeof d === 'number' && d < 0) ? null : d)) : []
})
