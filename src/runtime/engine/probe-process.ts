import './no-telemetry.ts'
import { listSupportedBackends } from 'onnxruntime-node'
import { calibrationModel, TINY } from './calibration-model.ts'
import type { EngineProvider } from './engine-options.ts'
import { LaneThread } from './lane-thread.ts'
import type { ProbeAnswer } from './providers/ask-probe.ts'

// A process of its own, started by providers/ask-probe.ts: what the library was built with, or whether one provider runs here.
// One that takes its process along has answered too.
const tryOut = async (provider: EngineProvider): Promise<ProbeAnswer> => {
  const lane = new LaneThread({ threads: 1, tellsOwn: false, provider }, () => {})
  try {
    await lane.ask('calibrate', { model: calibrationModel(TINY) })
    return { kind: 'runs' }
  } catch (error) {
    return { kind: 'absent', because: (error as Error).message }
  }
}

process.once('disconnect', () => process.exit())
const asked = process.argv[2]
const answer: ProbeAnswer =
  asked === undefined
    ? { kind: 'built', names: listSupportedBackends().map(({ name }) => name) }
    : await tryOut(JSON.parse(asked) as EngineProvider)
process.send?.(answer, () => process.exit())
