import { bytes, seconds } from '../src/core/units.ts'
import type { DeviceObserver } from '../src/runtime/ports/device-observer.ts'
import { DeviceMetrics } from '../src/telemetry/device-metrics.ts'
import { judge } from './judge.ts'
import { median } from './median.ts'

// What counting for Prometheus costs a device: of each datum that passes it, and of each time that it is asked. Processor time.

const DATA = 100_000
const BLOCKS = 3
const PAGES = 200

/** What a device is told of a datum of its own that runs three blocks and passes one link. */
const tell = (observer: DeviceObserver, datum: number): void => {
  const of = { source: 'cam@porch', datum }
  observer.admitted({ ...of, available: seconds(0), at: seconds(0) })
  for (let block = 0; block < BLOCKS; block++)
    observer.ran({ ...of, model: 'net', block, ready: seconds(0), start: seconds(0.001), end: seconds(0.01 + block) })
  observer.sent({
    ...of,
    to: 'shed',
    activation: 1,
    bytes: bytes(1000),
    ready: seconds(0),
    start: seconds(0),
    end: seconds(0.002)
  })
  observer.ended({ ...of, outcome: 'result', available: seconds(0), at: seconds(0.05) })
}

/** Microseconds of the processor. */
const costOf = async (work: () => void | Promise<void>): Promise<number> => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const perDatum = async (observer: DeviceObserver): Promise<number> =>
  (await costOf(() => {
    for (let datum = 0; datum < DATA; datum++) tell(observer, datum)
  })) / DATA

const nobody: DeviceObserver = { ran: () => {}, sent: () => {}, admitted: () => {}, ended: () => {} }
const metrics = new DeviceMetrics({ version: '1' })
const costs: number[] = []
for (let round = 0; round < 9; round++) costs.push((await perDatum(metrics)) - (await perDatum(nobody)))
const page =
  (await costOf(async () => {
    for (let i = 0; i < PAGES; i++) await metrics.text()
  })) / PAGES
const each = median(costs)
process.stdout.write(judge('a datum of three blocks, counted', `${each.toFixed(1)} us`, each, { atMost: 50 }))
process.stdout.write(judge('a page', `${(page / 1000).toFixed(1)} ms`, page / 1000, { atMost: 10 }))
process.exit() // what the library measures of the process goes on otherwise
