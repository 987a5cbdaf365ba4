import { calibrationModel } from './calibration-model.ts'
import { LaneThread } from './lane-thread.ts'

// A process of its own, started by calibrate-apart.ts: times the calibration model and says so.
process.once('disconnect', () => process.exit())
const lane = new LaneThread({ threads: Number(process.argv[2] ?? 1), tellsOwn: true }, () => {})
const { least } = await lane.ask('calibrate', { model: calibrationModel() })
process.send?.(least, () => process.disconnect())
await lane.close()
