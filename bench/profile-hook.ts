import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'

// Loaded into device processes by bench/profile.ts: a profile of the main thread, written when the process ends: where its
// time goes, or what it allocates (sampled, collected garbage included).

const folder = process.env['TRIBUTARY_PROFILES']
const ofAllocations = process.env['TRIBUTARY_PROFILE'] === 'allocations'
if (isMainThread && folder !== undefined) {
  const write = (profile: unknown): void => writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(profile))
  const session = new Session()
  session.connect()
  // Sessions of one's own thread answer at once.
  if (ofAllocations) {
    session.post('HeapProfiler.startSampling', {
      samplingInterval: 8192,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true
    } as object)
    process.once('exit', () => session.post('HeapProfiler.stopSampling', (_, { profile }) => write(profile)))
  } else {
    session.post('Profiler.enable')
    session.post('Profiler.setSamplingInterval', { interval: 500 })
    session.post('Profiler.start')
    process.once('exit', () => session.post('Profiler.stop', (_, { profile }) => write(profile)))
  }
}
