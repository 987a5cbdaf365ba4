import '../engine/no-telemetry.ts'
import ort from 'onnxruntime-node'
import type { OpenModel, PortInfo } from '../../model/open-model.ts'
import { fromOrt, toOrt } from '../engine/ort-tensor.ts'

/** ONNX Runtime on this very thread, which a run blocks: for commands that do one thing. Devices use the engine's lane. */
export const openModel: OpenModel = async (file, { optimise = true, threads = 1 } = {}) => {
  const session = await ort.InferenceSession.create(file, {
    graphOptimizationLevel: optimise ? 'all' : 'disabled',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4 // what goes wrong comes back as an error
  })
  const outputs = session.outputMetadata.map(portInfo)
  const names = outputs.map(output => output.name)
  return {
    inputs: session.inputMetadata.map(portInfo),
    outputs,
    run: async (feeds, wanted = names) => {
      const results = await session.run(Object.fromEntries(feeds.map(feed => [feed.name, toOrt(feed)])), wanted)
      return wanted.map(name => fromOrt(name, results[name]!))
    },
    close: () => session.release()
  }
}

const portInfo = (info: ort.InferenceSession.ValueMetadata): PortInfo => ({
  name: info.name,
  isTensor: info.isTensor,
  type: info.isTensor ? info.type : '',
  shape: info.isTensor ? info.shape.map(d => (d === '' || (typeof d === 'number' && d < 0) ? null : d)) : []
})
