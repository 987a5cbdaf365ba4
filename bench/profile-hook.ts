import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'

// Loaded into device processes by bench/profile.ts: a CPU profile of the main thread, written when the process ends.

const folder = process.env['TRIBUTARY_PROFILES']
if (isMainThread && folder !== undefined) {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: 500 })
  session.post('Profiler.start')
  process.once('exit', () => {
    // Sessions of one's own thread answer at once.
    session.post('Profiler.stop', (_, { profile }) =>
      writeFileSync(join(folder, `${process.pid}.cpuprofile`), JSON.stringify(profile))
    )
  })
}
